#include "checkpoint/convert_elements.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace sealite::checkpoint {
namespace {

template <typename T>
T keep(T value) {
  return value;
}

// Rounded so that a second rounding, to a shorter type, gives what one would have given: towards zero, with
// the last bit set where anything was lost ("round to odd").
float narrow(double value) {
  auto rounded = static_cast<float>(value);
  if (static_cast<double>(rounded) == value || !std::isfinite(value)) return rounded;
  if (std::abs(static_cast<double>(rounded)) > std::abs(value)) rounded = std::nextafter(rounded, 0.0F);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(rounded) | 1U);
}

// `decode` makes a number of a stored value, `encode` the stored value of a number.
template <typename In, typename Number, typename Out>
std::uint64_t convert(ByteView in, Number (*decode)(In), MutableByteView out, Out (*encode)(Number),
                      Number (*decode_again)(Out)) {
  std::uint64_t overflowed = 0;
  for (std::size_t i = 0; i < in.size() / sizeof(In); ++i) {
    In stored{};
    std::memcpy(&stored, in.data() + i * sizeof(In), sizeof(In));
    const Number value = decode(stored);
    const Out converted = encode(value);
    std::memcpy(out.data() + i * sizeof(Out), &converted, sizeof(Out));
    if (std::isfinite(value) && !std::isfinite(decode_again(converted))) ++overflowed;
  }
  return overflowed;
}

template <typename In>
std::uint64_t convert_from(ByteView in, float (*decode)(In), DType to, MutableByteView out) {
  if (to == DType::kFloat32) return convert(in, decode, out, keep<float>, keep<float>);
  if (to == DType::kFloat16) return convert(in, decode, out, float_to_half, half_to_float);
  return convert(in, decode, out, float_to_bfloat16, bfloat16_to_float);
}

std::uint64_t convert_doubles(ByteView in, DType to, MutableByteView out) {
  if (to == DType::kFloat32) {
    return convert<double, double, float>(
        in, keep<double>, out, [](double value) { return static_cast<float>(value); },
        [](float value) { return static_cast<double>(value); });
  }
  if (to == DType::kFloat16) {
    return convert<double, double, std::uint16_t>(
        in, keep<double>, out, [](double value) { return float_to_half(narrow(value)); },
        [](std::uint16_t value) { return static_cast<double>(half_to_float(value)); });
  }
  return convert<double, double, std::uint16_t>(
      in, keep<double>, out, [](double value) { return float_to_bfloat16(narrow(value)); },
      [](std::uint16_t value) { return static_cast<double>(bfloat16_to_float(value)); });
}

}  // namespace

bool is_float(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat16 || type == DType::kBFloat16 ||
         type == DType::kFloat64;
}

std::uint64_t convert_floats(DType from, ByteView in, DType to, MutableByteView out) {
  if (!is_float(from) || !is_float(to) || to == DType::kFloat64) {
    fail(ErrorCode::kUsage, "{} to {}: only floats are converted, to at most 32 bits", dtype_name(from),
         dtype_name(to));
  }
  const std::size_t count = in.size() / (dtype_bits(from) / 8);
  if (in.size() != dtype_bytes(from, count) || out.size() != dtype_bytes(to, count)) {
    fail(ErrorCode::kUsage, "{} bytes of {} do not give {} bytes of {}", in.size(), dtype_name(from),
         out.size(), dtype_name(to));
  }
  if (from == DType::kFloat64) return convert_doubles(in, to, out);
  if (from == DType::kFloat32) return convert_from(in, keep<float>, to, out);
  if (from == DType::kFloat16) return convert_from(in, half_to_float, to, out);
  return convert_from(in, bfloat16_to_float, to, out);
}

}  // namespace sealite::checkpoint
