#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace sealite {

/// SHA-256 (FIPS 180-4) of the parts, one behind the other. For what a format asks for (docs/payload.md);
/// files are hashed by base/digest.h, which is many times as fast.
std::array<std::uint8_t, 32> sha256(std::initializer_list<std::span<const std::uint8_t>> parts);

}  // namespace sealite
