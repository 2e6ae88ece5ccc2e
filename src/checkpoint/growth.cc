#include "checkpoint/growth.h"

#include <algorithm>

#include "base/error.h"

namespace sealite::checkpoint {

void check_growth(std::uint64_t written, std::uint64_t file_bytes) {
  if (written <= std::max(kSmallGrowth, kMostGrowth * file_bytes)) return;
  fail(ErrorCode::kUnsupported,
       "its tensors share storages: written one by one they take {} bytes, more than {} times the file's {}; "
       "save it with a .clone() of each tensor",
       written, kMostGrowth, file_bytes);
}

}  // namespace sealite::checkpoint
