#pragma once

#include <cstdint>

// What statfs says of a file system in `f_type`, by linux/magic.h: not every compiler's own headers have that
// one.
namespace sealite {

inline constexpr std::uint32_t kExt4 = 0xEF53;
inline constexpr std::uint32_t kXfs = 0x58465342;
inline constexpr std::uint32_t kBtrfs = 0x9123683E;
inline constexpr std::uint32_t kF2fs = 0xF2F52010;
inline constexpr std::uint32_t kNfs = 0x6969;
inline constexpr std::uint32_t kSmb = 0x517B;
inline constexpr std::uint32_t kCifs = 0xFF534D42;
inline constexpr std::uint32_t kSmb2 = 0xFE534D42;

}  // namespace sealite
