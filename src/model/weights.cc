#include "model/weights.h"

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "checkpoint/growth.h"
#include "model/card.h"

namespace sealite::model {
namespace {

using checkpoint::TensorView;

// A tensor of the mapped file, converted to float32 row by row.
class MappedTensor : public graph::Source {
 public:
  MappedTensor(std::shared_ptr<const checkpoint::Checkpoint> owner, std::shared_ptr<WeightAuditor> auditor,
               const TensorView& tensor)
      : Source(DType::kFloat32, tensor.shape),
        owner_(std::move(owner)),
        auditor_(std::move(auditor)),
        tensor_(tensor),
        contiguous_(tensor.contiguous()) {
    direct_ = tensor.type == DType::kFloat32 && contiguous_ &&
              reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
  }

  void read(graph::Rows rows, MutableByteView out) const override {
    const auto values = std::span(reinterpret_cast<float*>(out.data()), out.size() / sizeof(float));
    see(rows);
    checkpoint::read_rows(tensor_, rows.begin, rows.end, values);
  }
  ByteView view(graph::Rows rows) const override {
    if (!direct_) return {};
    const ByteView bytes = slice(rows);
    prefetch_pages(bytes);
    see(rows);
    return bytes;
  }
  void release(graph::Rows rows) const override {
    if (direct_) release_pages(slice(rows));
  }

 private:
  // Of a row-major tensor, in its own type.
  ByteView slice(graph::Rows rows) const {
    const std::uint64_t row_bytes = dtype_bytes(tensor_.type, elements_per_row());
    return tensor_.bytes.subspan(static_cast<std::size_t>(rows.begin) * row_bytes,
                                 static_cast<std::size_t>(rows.end - rows.begin) * row_bytes);
  }
  void see(graph::Rows rows) const {
    if (auditor_ && contiguous_) auditor_->see(tensor_, slice(rows));
  }

  std::shared_ptr<const checkpoint::Checkpoint> owner_;
  std::shared_ptr<WeightAuditor> auditor_;
  const TensorView& tensor_;
  bool contiguous_;
  bool direct_ = false;
};

}  // namespace

graph::SourcePtr Weights::source(const std::string& name) const {
  const TensorView* tensor = checkpoint_->find(name);
  if (tensor == nullptr) fail(ErrorCode::kMismatch, "the checkpoint has no tensor '{}'", name);
  return std::make_shared<MappedTensor>(checkpoint_, auditor_, *tensor);
}

const Shape& required_shape(const checkpoint::Checkpoint& checkpoint, const std::string& name,
                            std::size_t rank) {
  const auto* tensor = checkpoint.find(name);
  if (tensor == nullptr || tensor->shape.size() != rank) {
    fail(ErrorCode::kMismatch,
         "'{}' has no tensor '{}' of rank {}: not a Seal model that can be read without a card; give --card "
         "({} or a YAML file)",
         checkpoint.path().string(), name, rank, fmt::join(card_names(), ", "));
  }
  return tensor->shape;
}

void check_parameters(const checkpoint::Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
                      const std::string& card_name) {
  std::string first;
  std::size_t misfits = 0;
  std::uint64_t bytes = 0;  // as float32
  for (const Parameter& parameter : parameters) {
    const TensorView* tensor = checkpoint.find(parameter.name);
    if (tensor != nullptr && tensor->shape == parameter.shape) {
      bytes += sizeof(float) * element_count(tensor->shape).value_or(0);
      continue;
    }
    if (misfits++ > 0) continue;
    const auto unreadable = checkpoint.unreadable().find(parameter.name);
    const std::string found =
        tensor != nullptr ? to_string(tensor->shape)
        : unreadable != checkpoint.unreadable().end()
            ? fmt::format("one of type {}, which is not read", printable(unreadable->second))
            : "none";
    first =
        fmt::format("tensor '{}': expected {}, found {}", parameter.name, to_string(parameter.shape), found);
  }
  if (misfits == 0) {
    add_context(checkpoint.path().string(),
                [&] { checkpoint::check_growth(bytes, checkpoint.file_bytes()); });
    return;
  }
  fail(ErrorCode::kMismatch,
       "'{}' does not fit the card '{}': {}{}; give the right --card ({} or a YAML file)",
       checkpoint.path().string(), card_name, first,
       misfits > 1 ? fmt::format(" (and {} more tensors misfit)", misfits - 1) : "",
       fmt::join(card_names(), ", "));
}

}  // namespace sealite::model
