#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/shape.h"

namespace sealite::checkpoint {

/// What a writer gives one worker at a time.
inline constexpr std::uint64_t kBlockBytes = std::uint64_t{4} << 20U;

/// In bytes, of a tensor that is written.
inline constexpr std::size_t kLongestName = 1024;

/// A tensor to write, row-major.
struct NewTensor {
  std::string name;
  DType type = DType::kFloat32;
  Shape shape;
  /// Name of an earlier tensor of the same type and number of elements whose memory this one shares, or
  /// empty.
  std::string same_storage_as;
  /// Makes the little-endian bytes [byte_offset, byte_offset + out.size()) of the tensor. Called from several
  /// threads for disjoint blocks, which start and end between elements; not called when `same_storage_as` is
  /// set.
  std::function<void(std::uint64_t byte_offset, MutableByteView out)> fill;
};

/// Throws kUsage if the tensor's name, shape or contents make no sense.
void check_new_tensor(const NewTensor& tensor);

/// Its size in bytes, after `check_new_tensor`.
std::uint64_t new_tensor_bytes(const NewTensor& tensor);

}  // namespace sealite::checkpoint
