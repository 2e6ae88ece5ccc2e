#include "checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/args.h"
#include "checkpoint/extent.h"

namespace sealite::checkpoint {
namespace {

constexpr std::size_t kMaxTensors = std::size_t{1} << 20U;
constexpr std::size_t kMaxRank = 64;

struct HeaderRow {
  std::optional<std::string> type;
  std::optional<Shape> shape;
  std::optional<std::vector<std::int64_t>> offsets;  // begin, end, from the end of the header
};

// Takes the header's JSON event by event and accepts this form alone, so that a hostile header never becomes
// a tree:
//   {"__metadata__": {TEXT: TEXT, …}, NAME: {"dtype": TEXT, "shape": [N, …], "data_offsets": [N, N]}, …}
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::map<std::string, HeaderRow, std::less<>> rows;
  ArgMap metadata;

  bool start_object(std::size_t /*count*/) override {
    if (list_ != nullptr || depth_ >= 2 || (depth_ == 1 && key_.empty()))
      fail_header("an object in a wrong place");
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool key(string_t& key) override {
    if (depth_ == 1) {
      name_ = key;
      start_row();
    } else if (name_ != kMetadata && key != "dtype" && key != "shape" && key != "data_offsets") {
      fail_header(fmt::format("tensor '{}' has the unknown key '{}'", printable(name_), printable(key)));
    }
    key_ = key;
    return true;
  }
  bool string(string_t& value) override {
    if (depth_ != 2 || list_ != nullptr) fail_header("a text in a wrong place");
    if (name_ == kMetadata) {
      if (!metadata.emplace(key_, value).second) fail_header("__metadata__ repeats a key");
    } else {
      if (key_ != "dtype" || row_->type)
        fail_header(fmt::format("tensor '{}': '{}'", printable(name_), printable(key_)));
      row_->type = value;
    }
    return true;
  }
  bool start_array(std::size_t /*count*/) override {
    const bool tensor = depth_ == 2 && name_ != kMetadata && list_ == nullptr;
    if (!tensor || key_ == "dtype") fail_header("a list in a wrong place");
    auto& slot = key_ == "shape" ? row_->shape : row_->offsets;
    if (slot) fail_header(fmt::format("tensor '{}' repeats '{}'", printable(name_), printable(key_)));
    list_ = &slot.emplace();
    return true;
  }
  bool end_array() override {
    list_ = nullptr;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (list_ == nullptr) fail_header("a number in a wrong place");
    if (list_->size() >= kMaxRank)
      fail_header(fmt::format("tensor '{}' has too many axes", printable(name_)));
    if (!std::in_range<std::int64_t>(value))
      fail_header(fmt::format("tensor '{}': number {}", printable(name_), value));
    list_->push_back(static_cast<std::int64_t>(value));
    return true;
  }
  bool number_integer(number_integer_t value) override {
    fail_header(fmt::format("the negative number {}", value));
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    fail_header(fmt::format("the number {}, which is no 64-bit integer", printable(text)));
  }
  bool null() override { fail_header("null in a wrong place"); }
  bool boolean(bool /*value*/) override { fail_header("true or false in a wrong place"); }
  bool binary(binary_t& /*value*/) override { fail_header("binary data"); }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    fail_header(fmt::format("broken JSON at byte {}", position));
  }

 private:
  static constexpr std::string_view kMetadata = "__metadata__";

  [[noreturn]] static void fail_header(std::string_view what) {
    fail(ErrorCode::kMalformed, "broken safetensors header: {}", what);
  }
  void start_row() {
    if (name_ == kMetadata) {
      if (std::exchange(seen_metadata_, true)) fail_header("__metadata__ appears twice");
      return;
    }
    if (rows.size() >= kMaxTensors) fail_header("too many tensors");
    const auto [at, fresh] = rows.emplace(name_, HeaderRow{});
    if (!fresh) fail_header(fmt::format("tensor '{}' appears twice", printable(name_)));
    row_ = &at->second;
  }

  int depth_ = 0;
  std::string name_;  // key of the outer object
  std::string key_;   // last key
  HeaderRow* row_ = nullptr;
  bool seen_metadata_ = false;
  std::vector<std::int64_t>* list_ = nullptr;  // the array being read
};

DType find_safetensors_type(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, DType>, 8> kTypes{{{"F32", DType::kFloat32},
                                                                      {"F16", DType::kFloat16},
                                                                      {"BF16", DType::kBFloat16},
                                                                      {"I64", DType::kInt64},
                                                                      {"I32", DType::kInt32},
                                                                      {"I8", DType::kInt8},
                                                                      {"U8", DType::kUInt8},
                                                                      {"BOOL", DType::kBool}}};
  const auto* found = std::ranges::find(kTypes, name, &std::pair<std::string_view, DType>::first);
  if (found == kTypes.end()) {
    fail(ErrorCode::kUnsupported, "elements of type '{}'; save it as F32", printable(name));
  }
  return found->second;
}

TensorView make_view(const std::string& name, const HeaderRow& row, ByteView data) {
  if (!row.type || !row.shape || !row.offsets || row.offsets->size() != 2) {
    fail(ErrorCode::kMalformed, "it lacks dtype, shape or two data_offsets");
  }
  TensorView view{.type = find_safetensors_type(*row.type),
                  .shape = *row.shape,
                  .strides = {},
                  .bytes = {},
                  .storage = name};
  const auto begin = static_cast<std::uint64_t>((*row.offsets)[0]);
  const auto end = static_cast<std::uint64_t>((*row.offsets)[1]);
  if (begin > end || end > data.size()) {
    fail(ErrorCode::kMalformed, "data_offsets [{}, {}] leave the {} bytes of data", begin, end, data.size());
  }
  const auto count = element_count(view.shape);
  const auto bytes = count ? checked_multiply(*count, dtype_bits(view.type) / 8) : std::nullopt;
  if (!bytes || *bytes != end - begin) {
    fail(ErrorCode::kMalformed, "{} bytes, but shape {} of {} needs {}", end - begin, to_string(view.shape),
         *row.type, bytes ? std::to_string(*bytes) : "more than 2^64");
  }
  view.strides = row_major_strides(view.shape);
  view.bytes = data.subspan(begin, end - begin);
  return view;
}

// The data must be covered from front to back: what a hole hides is for nobody to say.
void check_coverage(const TensorMap& tensors, ByteView data) {
  std::vector<const TensorMap::value_type*> order;
  for (const auto& tensor : tensors) order.push_back(&tensor);
  const auto place = [](const TensorMap::value_type* tensor) {
    return std::pair(tensor->second.bytes.data(), tensor->second.bytes.size());
  };
  std::ranges::sort(order, {}, place);
  const std::byte* expected = data.data();
  for (const auto* tensor : order) {
    const ByteView bytes = tensor->second.bytes;
    if (bytes.data() != expected) {
      fail(ErrorCode::kMalformed,
           "tensor '{}' starts at byte {} of the data, expected {}: a hole or an overlap",
           printable(tensor->first), bytes.data() - data.data(), expected - data.data());
    }
    expected = bytes.data() + bytes.size();
  }
  if (expected != data.data() + data.size()) {
    fail(ErrorCode::kMalformed, "the tensors end at byte {} of {} bytes of data", expected - data.data(),
         data.size());
  }
}

}  // namespace

bool is_safetensors(ByteView file) {
  return file.size() > kSafetensorsLengthSize && file[kSafetensorsLengthSize] == std::byte{'{'};
}

Contents read_safetensors(ByteView file) {
  const auto length = load<std::uint64_t>(file);
  if (length > kMaxSafetensorsHeader || length > file.size() - kSafetensorsLengthSize) {
    fail(ErrorCode::kMalformed, "broken safetensors header: its length is {}, the file has {} bytes", length,
         file.size());
  }
  HeaderReader header;
  const std::string_view text = as_text(file.subspan(kSafetensorsLengthSize, length));
  nlohmann::json::sax_parse(text, &header);
  const ByteView data = file.subspan(kSafetensorsLengthSize + length);
  Contents contents;
  for (const auto& row : header.rows) {
    add_context(fmt::format("tensor '{}'", printable(row.first)),
                [&] { contents.tensors.emplace(row.first, make_view(row.first, row.second, data)); });
  }
  check_coverage(contents.tensors, data);
  if (contents.tensors.empty()) fail(ErrorCode::kUnsupported, "the file holds no tensors");
  contents.args = std::move(header.metadata);
  if (const auto epoch = contents.args.find("epoch"); epoch != contents.args.end()) {
    const PlainValue value = scalar_of_text(epoch->second);
    if (value.kind == PlainValue::Kind::kInt) contents.epoch = value.integer;
  }
  contents.sections.push_back({"model", contents.tensors.size(), data.size(), true});
  return contents;
}

}  // namespace sealite::checkpoint
