#include "checkpoint/convert_elements.h"

#include <bit>
#include <cstring>

#include "base/error.h"

namespace sealite::checkpoint {
namespace {

float keep(float value) {
  return value;
}

bool is_finite(float value) {
  return (std::bit_cast<std::uint32_t>(value) & 0x7F800000U) != 0x7F800000U;
}

// `decode` makes a float of a stored value, `encode` the stored value of a float.
template <typename In, typename Out>
std::uint64_t convert(ByteView in, float (*decode)(In), MutableByteView out, Out (*encode)(float),
                      float (*decode_again)(Out)) {
  std::uint64_t overflowed = 0;
  for (std::size_t i = 0; i < in.size() / sizeof(In); ++i) {
    In stored{};
    std::memcpy(&stored, in.data() + i * sizeof(In), sizeof(In));
    const float value = decode(stored);
    const Out converted = encode(value);
    std::memcpy(out.data() + i * sizeof(Out), &converted, sizeof(Out));
    if (is_finite(value) && !is_finite(decode_again(converted))) ++overflowed;
  }
  return overflowed;
}

template <typename In>
std::uint64_t convert_from(ByteView in, float (*decode)(In), DType to, MutableByteView out) {
  if (to == DType::kFloat32) return convert(in, decode, out, keep, keep);
  if (to == DType::kFloat16) return convert(in, decode, out, float_to_half, half_to_float);
  return convert(in, decode, out, float_to_bfloat16, bfloat16_to_float);
}

}  // namespace

bool is_float(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat16 || type == DType::kBFloat16;
}

std::uint64_t convert_floats(DType from, ByteView in, DType to, MutableByteView out) {
  if (!is_float(from) || !is_float(to)) {
    fail(ErrorCode::kUsage, "{} to {}: only floats are converted", dtype_name(from), dtype_name(to));
  }
  const std::size_t count = in.size() / (dtype_bits(from) / 8);
  if (in.size() != dtype_bytes(from, count) || out.size() != dtype_bytes(to, count)) {
    fail(ErrorCode::kUsage, "{} bytes of {} do not give {} bytes of {}", in.size(), dtype_name(from),
         out.size(), dtype_name(to));
  }
  if (from == DType::kFloat32) return convert_from(in, keep, to, out);
  if (from == DType::kFloat16) return convert_from(in, half_to_float, to, out);
  return convert_from(in, bfloat16_to_float, to, out);
}

}  // namespace sealite::checkpoint
