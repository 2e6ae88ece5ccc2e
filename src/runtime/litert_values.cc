#include "runtime/litert_values.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"

namespace sealite::runtime {
namespace {

/// LiteRT's numbers of the element types; they are not those of the file format.
constexpr std::pair<int, DType> kElementTypes[] = {
    {1, DType::kFloat32}, {2, DType::kInt32},    {3, DType::kUInt8},
    {4, DType::kInt64},   {6, DType::kBool},     {9, DType::kInt8},
    {18, DType::kInt4},   {10, DType::kFloat16}, {19, DType::kBFloat16},
};

}  // namespace

MappedFile open_model_file(const std::filesystem::path& path) {
  MappedFile file = MappedFile::settled(path);
  if (file.size() < 8 || as_text(file.bytes().subspan(4, 4)) != "TFL3") {
    fail(ErrorCode::kMalformed, "{}: not a TFLite file (no \"TFL3\" in its first 8 bytes)",
         file.path().string());
  }
  return file;
}

std::string reported_errors(const LiteRtApi& api, LiteRtCompiledModel compiled) {
  char* messages = nullptr;
  const bool any = api.get_error_messages(compiled, &messages) == 0;
  const CText owned(messages);
  if (!any || messages == nullptr) return {};
  std::string text = fmt::format("; it reports: {}", messages);
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string memory_need(std::uint64_t file_bytes) {
  return fmt::format("; memory ran out: LiteRT packs the file's {:.2f} MiB into a copy",
                     static_cast<double>(file_bytes) / (1U << 20U));
}

bool is_free(const Shape& shape) {
  return std::ranges::any_of(shape, [](std::int64_t size) { return size < 0; });
}

bool fits(const Shape& wanted, const Shape& fixed) {
  return std::ranges::equal(wanted, fixed, [](std::int64_t size, std::int64_t file) {
    return size > 0 && size <= std::numeric_limits<int>::max() && (file < 0 || size == file);
  });
}

DType to_dtype(int element_type, std::string_view tensor) {
  for (const auto& [number, type] : kElementTypes) {
    if (number == element_type) return type;
  }
  fail(ErrorCode::kUnsupported, "tensor \"{}\" has LiteRT's element type {}, which Sealite does not know",
       tensor, element_type);
}

int to_element_type(DType dtype) {
  for (const auto& [number, type] : kElementTypes) {
    if (type == dtype) return number;
  }
  fail(ErrorCode::kInternal, "LiteRT has no element type {}", dtype_name(dtype));
}

Shape to_shape(const LiteRtLayout& layout, std::string_view tensor) {
  if (layout.rank > kMaxRank) {
    fail(ErrorCode::kUnsupported, "tensor \"{}\" has {} dimensions, more than {}", tensor,
         unsigned{layout.rank}, kMaxRank);
  }
  return Shape(layout.dimensions, layout.dimensions + layout.rank);
}

std::size_t float_count(const Shape& shape, std::string_view tensor) {
  const auto count = element_count(shape);
  if (!count || *count > std::numeric_limits<std::size_t>::max() / sizeof(float)) {
    fail(ErrorCode::kUsage, "tensor \"{}\" of shape {} has no size", tensor, to_string(shape));
  }
  return *count;
}

LiteRtRankedTensorType to_ranked_type(DType dtype, const Shape& shape) {
  LiteRtRankedTensorType type = {};
  type.element_type = to_element_type(dtype);
  type.layout.rank = static_cast<unsigned int>(std::min(shape.size(), kMaxRank)) & 0x7F;
  for (std::size_t i = 0; i < type.layout.rank; ++i) {
    type.layout.dimensions[i] = static_cast<std::int32_t>(shape[i]);
  }
  return type;
}

// xnnpack_delegate.h. A value replaces LiteRT 2.3.0's own, which is kInt8Kernels (signed and unsigned).
constexpr unsigned kInt8Kernels = 0x3;
constexpr unsigned kTransientTables = 0x20;

/// The options' text for XNNPACK. LiteRT's TOML reader does not unescape, so a path goes in as it is.
std::string xnnpack_options(const RunOptions& options) {
  if (options.threads < 1 || options.threads > 1024) {
    fail(ErrorCode::kUsage, "threads: expected 1 to 1024, found {}", options.threads);
  }
  std::string text = fmt::format("num_threads = {}\n", options.threads);
  if (options.tables_per_run) text += fmt::format("flags = {}\n", kInt8Kernels | kTransientTables);
  if (!options.weight_cache.empty()) {
    const std::string path = options.weight_cache.string();
    if (std::any_of(path.begin(), path.end(),
                    [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; })) {
      fail(ErrorCode::kUsage,
           "the weight cache's path {} holds a quote, a backslash or a control character, which LiteRT's "
           "options "
           "cannot carry; choose another folder",
           path);
    }
    text += fmt::format("weight_cache_file_path = \"{}\"\n", path);
  }
  return text;
}

std::string runtime_options(const RunOptions& options) {
  return fmt::format("error_reporter_mode = 2\n{}", options.profile ? "enable_profiling = true\n" : "");
}

}  // namespace sealite::runtime
