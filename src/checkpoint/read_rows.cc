#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/extent.h"

namespace sealite::checkpoint {
namespace {

float to_float(float value) {
  return value;
}
float to_float(double value) {
  return static_cast<float>(value);
}
template <typename T>
  requires std::is_integral_v<T>
float to_float(T value) {
  return static_cast<float>(value);
}

struct Half {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};
float to_float(Half value) {
  return half_to_float(value.bits);
}
float to_float(BFloat16 value) {
  return bfloat16_to_float(value.bits);
}

// Copies `count` elements that lie `stride` elements apart, starting at byte `at`. The values may be
// unaligned.
template <typename T>
void copy_line(const std::byte* at, std::size_t stride, std::size_t count, float* out) {
  if (std::is_same_v<T, float> && stride == 1) {
    std::memcpy(out, at, count * sizeof(float));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, at + i * stride * sizeof(T), sizeof(T));
    out[i] = to_float(value);
  }
}

// The axes left to copy after those that are one run in memory were merged; at least one.
struct Axis {
  std::size_t size;
  std::size_t stride;
};

std::vector<Axis> merged_axes(const TensorView& tensor, std::size_t rows) {
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const Axis axis{i == 0 ? rows : static_cast<std::size_t>(tensor.shape[i]),
                    static_cast<std::size_t>(tensor.strides[i])};
    if (axis.size == 1) continue;
    if (!axes.empty() && axes.back().stride == axis.size * axis.stride) {
      axes.back() = {axes.back().size * axis.size, axis.stride};
    } else {
      axes.push_back(axis);
    }
  }
  if (axes.empty()) axes.push_back({1, 1});
  return axes;
}

template <typename T>
void copy_rows(const TensorView& tensor, std::size_t first, std::size_t rows, std::span<float> out) {
  const std::vector<Axis> axes = merged_axes(tensor, rows);
  const Axis inner = axes.back();
  const std::size_t outer = axes.size() - 1;
  std::size_t at = tensor.shape.empty() ? 0 : first * static_cast<std::size_t>(tensor.strides[0]);
  std::vector<std::size_t> index(outer, 0);
  for (std::size_t done = 0; done < out.size(); done += inner.size) {
    copy_line<T>(tensor.bytes.data() + at * sizeof(T), inner.stride, inner.size, out.data() + done);
    // Steps the outer axes like an odometer.
    for (std::size_t axis = outer; axis-- > 0;) {
      at += axes[axis].stride;
      if (++index[axis] < axes[axis].size) break;
      at -= axes[axis].stride * axes[axis].size;
      index[axis] = 0;
    }
  }
}

void check_request(const TensorView& tensor, std::int64_t first, std::int64_t last, std::size_t out_size) {
  const auto reach = reached_elements(tensor.shape, tensor.strides);
  if (!reach || dtype_bytes(tensor.type, *reach) > tensor.bytes.size()) {
    fail(ErrorCode::kInternal, "tensor view {} reaches past its {} bytes", to_string(tensor.shape),
         tensor.bytes.size());
  }
  const std::int64_t rows = tensor.shape.empty() ? 1 : tensor.shape[0];
  if (first < 0 || first > last || last > rows) {
    fail(ErrorCode::kUsage, "rows {} to {} of a tensor with {} rows", first, last, rows);
  }
  Shape wanted = tensor.shape;
  if (!wanted.empty()) wanted[0] = last - first;
  const std::uint64_t elements = last == first ? 0 : element_count(wanted).value_or(0);
  if (elements != out_size) {
    fail(ErrorCode::kUsage, "room for {} values, but rows {} to {} of {} are {}", out_size, first, last,
         to_string(tensor.shape), elements);
  }
}

}  // namespace

void read_rows(const TensorView& tensor, std::int64_t first_row, std::int64_t last_row,
               std::span<float> out) {
  check_request(tensor, first_row, last_row, out.size());
  if (out.empty()) return;
  const auto first = static_cast<std::size_t>(first_row);
  const auto rows = static_cast<std::size_t>(last_row - first_row);
  switch (tensor.type) {
    case DType::kFloat32:
      return copy_rows<float>(tensor, first, rows, out);
    case DType::kFloat16:
      return copy_rows<Half>(tensor, first, rows, out);
    case DType::kBFloat16:
      return copy_rows<BFloat16>(tensor, first, rows, out);
    case DType::kInt64:
      return copy_rows<std::int64_t>(tensor, first, rows, out);
    case DType::kInt32:
      return copy_rows<std::int32_t>(tensor, first, rows, out);
    case DType::kInt8:
      return copy_rows<std::int8_t>(tensor, first, rows, out);
    case DType::kUInt8:
    case DType::kBool:
      return copy_rows<std::uint8_t>(tensor, first, rows, out);
    case DType::kFloat64:
      return copy_rows<double>(tensor, first, rows, out);
    case DType::kInt16:
      return copy_rows<std::int16_t>(tensor, first, rows, out);
    case DType::kUInt16:
      return copy_rows<std::uint16_t>(tensor, first, rows, out);
    case DType::kUInt32:
      return copy_rows<std::uint32_t>(tensor, first, rows, out);
    case DType::kUInt64:
      return copy_rows<std::uint64_t>(tensor, first, rows, out);
    case DType::kInt4:
      break;
  }
  fail(ErrorCode::kUnsupported, "elements of type {} cannot be read as float32", dtype_name(tensor.type));
}

}  // namespace sealite::checkpoint
