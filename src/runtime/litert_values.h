#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/dtype.h"
#include "base/mapped_file.h"
#include "base/shape.h"
#include "runtime/compiled_model.h"
#include "runtime/litert_api.h"

namespace sealite::runtime {

/// Owns one LiteRT object and destroys it with the function of the library that made it.
template <typename T>
class Handle {
 public:
  Handle() = default;
  Handle(T object, void (*destroy)(T)) : pointer_(object, destroy) {}
  T get() const { return pointer_.get(); }
  explicit operator bool() const { return pointer_ != nullptr; }

 private:
  std::unique_ptr<std::remove_pointer_t<T>, void (*)(T)> pointer_{nullptr, nullptr};
};

/// C strings that LiteRT makes, or frees by itself later.
struct FreeText {
  void operator()(char* text) const {
    std::free(text);  // NOLINT(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): a C interface
  }
};
using CText = std::unique_ptr<char, FreeText>;

/// A name that LiteRT gives: it answers ok and null where the file has none.
inline std::string_view or_empty(const char* name) {
  return name == nullptr ? std::string_view() : std::string_view(name);
}

/// A `.tflite` file, of which LiteRT reads. Says what is wrong better than LiteRT, which also prints to
/// stderr.
MappedFile open_model_file(const std::filesystem::path& path);

/// The status of an allocation that failed. LiteRT 2.3.0 answers with others where XNNPACK got no memory.
inline constexpr LiteRtStatus kStatusNoMemory = 2;

/// "; memory ran out: …", for a model's file of so many bytes.
std::string memory_need(std::uint64_t file_bytes);

bool is_free(const Shape& shape);

/// Whether an input of the file's shape `fixed` (-1: free) can have the shape `wanted`.
bool fits(const Shape& wanted, const Shape& fixed);

/// "; it reports: ...", or nothing.
std::string reported_errors(const LiteRtApi& api, LiteRtCompiledModel compiled);

/// The type with LiteRT's number `element_type`. Throws kUnsupported, naming the tensor.
DType to_dtype(int element_type, std::string_view tensor);

/// LiteRT's number of `dtype`.
int to_element_type(DType dtype);

/// The dimensions of `layout`; -1 is free. Throws kUnsupported for more than kMaxRank, naming the tensor.
Shape to_shape(const LiteRtLayout& layout, std::string_view tensor);

/// How many float32 values a tensor of `shape` holds. Throws kUsage, naming the tensor, if free or too many.
std::size_t float_count(const Shape& shape, std::string_view tensor);

/// The type and shape as LiteRT's struct; at most kMaxRank dimensions.
LiteRtRankedTensorType to_ranked_type(DType dtype, const Shape& shape);

/// The TOML text of LiteRT's options for XNNPACK. Throws kUsage.
std::string xnnpack_options(const RunOptions& options);

/// That of its options for itself: messages are kept for `LiteRtApi::get_error_messages`.
std::string runtime_options(const RunOptions& options);

}  // namespace sealite::runtime
