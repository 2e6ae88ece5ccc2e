#pragma once

#include <cstdint>

namespace sealite::checkpoint {

/// Tensors may share storages, so a file of a few megabytes can name terabytes of them; all of them written
/// out, each by itself, may take so many times the file's bytes. Real ones stay below: a weight that two
/// layers share is 2, 16-bit floats written as 32-bit ones are 2.
inline constexpr std::uint64_t kMostGrowth = 8;
/// Files of which no more is written are never refused.
inline constexpr std::uint64_t kSmallGrowth = std::uint64_t{16} << 20U;

/// Throws kUnsupported if `written` bytes of tensors are to come out of a checkpoint of `file_bytes`.
void check_growth(std::uint64_t written, std::uint64_t file_bytes);

}  // namespace sealite::checkpoint
