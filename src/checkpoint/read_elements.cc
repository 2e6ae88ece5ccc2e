#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/extent.h"

namespace sealite::checkpoint {
namespace {

// Steps through the elements of a strided tensor in row-major order.
class Odometer {
 public:
  Odometer(const TensorView& tensor, std::uint64_t first) : tensor_(tensor), index_(tensor.shape.size()) {
    for (std::size_t axis = index_.size(); axis-- > 0;) {
      const auto size = static_cast<std::uint64_t>(tensor.shape[axis]);
      index_[axis] = first % size;
      first /= size;
      at_ += index_[axis] * stride(axis);
    }
  }

  // Offset of the current element, in elements.
  std::uint64_t at() const { return at_; }
  // Elements that are left along the last axis, this one included, and how far they lie apart.
  std::uint64_t left_in_line() const { return index_.empty() ? 1 : size(index_.size() - 1) - index_.back(); }
  std::uint64_t line_stride() const { return index_.empty() ? 1 : stride(index_.size() - 1); }

  // Goes on by `count`, at most to the end of the line.
  void advance(std::uint64_t count) {
    for (std::size_t axis = index_.size(); axis-- > 0; count = 1) {
      index_[axis] += count;
      at_ += count * stride(axis);
      if (index_[axis] < size(axis)) return;
      at_ -= index_[axis] * stride(axis);
      index_[axis] = 0;
    }
  }

 private:
  std::uint64_t size(std::size_t axis) const { return static_cast<std::uint64_t>(tensor_.shape[axis]); }
  std::uint64_t stride(std::size_t axis) const { return static_cast<std::uint64_t>(tensor_.strides[axis]); }

  const TensorView& tensor_;
  std::vector<std::uint64_t> index_;
  std::uint64_t at_ = 0;
};

// The size is a constant in each instance: every copy is one move.
template <std::size_t kSize>
void copy_strided(const TensorView& tensor, std::uint64_t first, MutableByteView out) {
  Odometer place(tensor, first);
  for (std::byte* to = out.data(); to != out.data() + out.size();) {
    const auto room = static_cast<std::uint64_t>(out.data() + out.size() - to) / kSize;
    const std::uint64_t count = std::min(room, place.left_in_line());
    const std::byte* from = tensor.bytes.data() + place.at() * kSize;
    for (std::uint64_t i = 0; i < count; ++i, to += kSize) {
      std::memcpy(to, from + i * place.line_stride() * kSize, kSize);
    }
    place.advance(count);
  }
}

void check_request(const TensorView& tensor, std::size_t size, std::uint64_t first, std::size_t out_size) {
  const auto reach = reached_elements(tensor.shape, tensor.strides);
  if (!reach || dtype_bytes(tensor.type, *reach) > tensor.bytes.size()) {
    fail(ErrorCode::kInternal, "tensor view {} reaches past its {} bytes", to_string(tensor.shape),
         tensor.bytes.size());
  }
  const std::uint64_t count = element_count(tensor.shape).value_or(0);
  if (out_size % size != 0 || first > count || out_size / size > count - first) {
    fail(ErrorCode::kUsage, "{} bytes from element {} on of a tensor with {} elements of {} bytes", out_size,
         first, count, size);
  }
}

}  // namespace

void read_elements(const TensorView& tensor, std::uint64_t first, MutableByteView out) {
  const std::size_t size = dtype_bits(tensor.type) / 8;
  if (size == 0) {
    fail(ErrorCode::kUnsupported, "elements of type {} have no bytes of their own", dtype_name(tensor.type));
  }
  check_request(tensor, size, first, out.size());
  if (out.empty()) return;
  if (tensor.contiguous()) {
    std::memcpy(out.data(), tensor.bytes.data() + first * size, out.size());
    return;
  }
  switch (size) {
    case 1:
      return copy_strided<1>(tensor, first, out);
    case 2:
      return copy_strided<2>(tensor, first, out);
    case 4:
      return copy_strided<4>(tensor, first, out);
    default:
      return copy_strided<8>(tensor, first, out);
  }
}

}  // namespace sealite::checkpoint
