#include "checkpoint/new_tensor.h"

#include "base/error.h"
#include "base/utf8.h"

namespace sealite::checkpoint {

void check_new_tensor(const NewTensor& tensor) {
  if (tensor.name.empty() || tensor.name.size() > kLongestName || !is_utf8(tensor.name)) {
    fail(ErrorCode::kUsage, "tensor name '{}' is empty, too long or not UTF-8", printable(tensor.name));
  }
  const auto count = element_count(tensor.shape);
  if (!count || !checked_multiply(*count, dtype_bits(tensor.type))) {
    fail(ErrorCode::kUsage, "tensor '{}': impossible shape {}", printable(tensor.name),
         to_string(tensor.shape));
  }
  if (tensor.same_storage_as.empty() && !tensor.fill) {
    fail(ErrorCode::kUsage, "tensor '{}' has no contents", printable(tensor.name));
  }
}

std::uint64_t new_tensor_bytes(const NewTensor& tensor) {
  return dtype_bytes(tensor.type, element_count(tensor.shape).value_or(0));
}

}  // namespace sealite::checkpoint
