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

struct SafetensorsType {
  std::string_view name;
  std::size_t bits;
  std::optional<DType> type;  // nothing: one that Sealite has no numbers for
};

constexpr SafetensorsType kSafetensorsTypes[] = {
    {"F32", 32, DType::kFloat32},     {"F16", 16, DType::kFloat16}, {"BF16", 16, DType::kBFloat16},
    {"F64", 64, DType::kFloat64},     {"I64", 64, DType::kInt64},   {"I32", 32, DType::kInt32},
    {"I16", 16, DType::kInt16},       {"I8", 8, DType::kInt8},      {"U64", 64, DType::kUInt64},
    {"U32", 32, DType::kUInt32},      {"U16", 16, DType::kUInt16},  {"U8", 8, DType::kUInt8},
    {"BOOL", 8, DType::kBool},        {"C64", 64, std::nullopt},    {"F8_E5M2", 8, std::nullopt},
    {"F8_E4M3", 8, std::nullopt},     {"F8_E8M0", 8, std::nullopt}, {"F8_E4M3FNUZ", 8, std::nullopt},
    {"F8_E5M2FNUZ", 8, std::nullopt}, {"F6_E2M3", 6, std::nullopt}, {"F6_E3M2", 6, std::nullopt},
    {"F4", 4, std::nullopt},
};

const SafetensorsType& find_safetensors_type(std::string_view name) {
  const auto* found = std::ranges::find(kSafetensorsTypes, name, &SafetensorsType::name);
  if (found == std::end(kSafetensorsTypes)) {
    fail(ErrorCode::kUnsupported, "elements of type '{}'; save it as F32", printable(name));
  }
  return *found;
}

// A row, checked against the file's data.
struct Row {
  const SafetensorsType* type = nullptr;
  Shape shape;
  ByteView bytes;
};

Row check_row(const HeaderRow& row, ByteView data) {
  if (!row.type || !row.shape || !row.offsets || row.offsets->size() != 2) {
    fail(ErrorCode::kMalformed, "it lacks dtype, shape or two data_offsets");
  }
  const SafetensorsType& type = find_safetensors_type(*row.type);
  const auto begin = static_cast<std::uint64_t>((*row.offsets)[0]);
  const auto end = static_cast<std::uint64_t>((*row.offsets)[1]);
  if (begin > end || end > data.size()) {
    fail(ErrorCode::kMalformed, "data_offsets [{}, {}] leave the {} bytes of data", begin, end, data.size());
  }
  const auto count = element_count(*row.shape);
  const auto bits = count ? checked_multiply(*count, type.bits) : std::nullopt;
  const auto bytes = bits ? std::optional(*bits / 8 + (*bits % 8 != 0 ? 1 : 0)) : std::nullopt;
  if (!bytes || *bytes != end - begin) {
    fail(ErrorCode::kMalformed, "{} bytes, but shape {} of {} needs {}", end - begin, to_string(*row.shape),
         *row.type, bytes ? std::to_string(*bytes) : "more than 2^64");
  }
  return {&type, *row.shape, data.subspan(begin, end - begin)};
}

// The data must be covered from front to back: what a hole hides is for nobody to say.
void check_coverage(std::vector<std::pair<std::string_view, ByteView>> tensors, ByteView data) {
  std::ranges::sort(tensors, {},
                    [](const auto& tensor) { return std::pair(tensor.second.data(), tensor.second.size()); });
  const std::byte* expected = data.data();
  for (const auto& [name, bytes] : tensors) {
    if (bytes.data() != expected) {
      fail(ErrorCode::kMalformed,
           "tensor '{}' starts at byte {} of the data, expected {}: a hole or an overlap", printable(name),
           bytes.data() - data.data(), expected - data.data());
    }
    expected = bytes.data() + bytes.size();
  }
  if (expected != data.data() + data.size()) {
    fail(ErrorCode::kMalformed, "the tensors end at byte {} of {} bytes of data", expected - data.data(),
         data.size());
  }
}

// safetensors.torch.save_model writes one of several names of a tensor, and in the metadata for each of the
// others the one that is there.
void add_tied_names(Contents& contents) {
  for (auto at = contents.args.begin(); at != contents.args.end();) {
    const auto kept = contents.tensors.find(at->second);
    const bool tied = kept != contents.tensors.end() && !contents.tensors.contains(at->first);
    if (tied) contents.tensors.emplace(at->first, kept->second);
    at = tied ? contents.args.erase(at) : std::next(at);
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
  std::vector<std::pair<std::string_view, ByteView>> places;
  for (const auto& header_row : header.rows) {
    const std::string& name = header_row.first;
    const auto [type, shape, bytes] = add_context(fmt::format("tensor '{}'", printable(name)),
                                                  [&] { return check_row(header_row.second, data); });
    places.emplace_back(name, bytes);
    if (type->type) {
      contents.tensors.emplace(name, TensorView{*type->type, shape, row_major_strides(shape), bytes, name});
    } else {
      contents.unreadable.emplace(name, type->name);
    }
  }
  check_coverage(std::move(places), data);
  if (contents.tensors.empty()) fail(ErrorCode::kUnsupported, "the file holds no tensors");
  contents.args = std::move(header.metadata);
  const std::size_t tensors = contents.tensors.size() + contents.unreadable.size();
  add_tied_names(contents);
  if (const auto epoch = contents.args.find("epoch"); epoch != contents.args.end()) {
    const PlainValue value = scalar_of_text(epoch->second);
    if (value.kind == PlainValue::Kind::kInt) contents.epoch = value.integer;
  }
  contents.sections.push_back({"model", tensors, data.size(), true});
  return contents;
}

}  // namespace sealite::checkpoint
