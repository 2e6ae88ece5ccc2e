#pragma once

#include <cstdint>

namespace sealite::verify {

/// Random-looking bits of a number (SplitMix64's finaliser): the same pictures and messages on every machine.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

}  // namespace sealite::verify
