#include "bindings/model_bytes.h"

#include <nanobind/stl/filesystem.h>

#include <algorithm>
#include <span>

namespace sealite::python {
namespace {

constexpr std::size_t kPadding = 64;  // that may be read behind a model's bytes (model_source.h)

std::span<const std::byte> bytes_of(const nb::object& bytes) {
  const auto whole = nb::borrow<nb::bytes>(bytes);
  return {static_cast<const std::byte*>(whole.data()), whole.size()};
}

}  // namespace

KeptModel::KeptModel(const nb::object& model) : bytes_(nb::none()) {
  if (!nb::isinstance<nb::bytes>(model)) {
    path_ = nb::cast<std::filesystem::path>(model);
    return;
  }
  bytes_ = model;
  const std::span<const std::byte> bytes = bytes_of(model);
  const std::span end = bytes.last(std::min(kPadding, bytes.size()));
  const bool zeros = std::ranges::all_of(end, [](std::byte byte) { return byte == std::byte{0}; });
  if (zeros && bytes.size() > kPadding) return;
  padded_.reserve(bytes.size() + kPadding);
  padded_.assign(bytes.begin(), bytes.end());
  padded_.resize(bytes.size() + kPadding);
}

ModelSource KeptModel::source() const {
  if (bytes_.is_none()) return path_;
  if (padded_.empty()) return ModelSource::from_bytes(bytes_of(bytes_));
  return ModelSource::from_bytes(std::span(padded_).first(padded_.size() - kPadding));
}

}  // namespace sealite::python
