#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sealite {

/// Element types of checkpoints, graphs and models.
enum class DType : std::uint8_t {
  kFloat32,
  kFloat16,
  kBFloat16,
  kInt64,
  kInt32,
  kInt8,
  kUInt8,
  kBool,
  kInt4,
  kFloat64,  ///< These and the following are only found in checkpoints.
  kInt16,
  kUInt16,
  kUInt32,
  kUInt64
};

/// Bits per element: 4 for int4 (two per byte, low nibble first), else a multiple of 8.
std::size_t dtype_bits(DType type);

/// Bytes for `elements` packed elements (int4 rounds up to a whole byte).
std::uint64_t dtype_bytes(DType type, std::uint64_t elements);

/// "float32", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool", "int4", "float64",
/// "int16", "uint16", "uint32", "uint64".
std::string_view dtype_name(DType type);

/// fp16 (IEEE binary16) and bfloat16 to float and back (round to nearest even; what is too large becomes
/// infinite, a NaN stays a NaN).
float half_to_float(std::uint16_t half);
std::uint16_t float_to_half(float value);
float bfloat16_to_float(std::uint16_t value);
std::uint16_t float_to_bfloat16(float value);

}  // namespace sealite
