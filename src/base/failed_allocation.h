#pragma once

#include <cstdint>

namespace sealite {

/// Notes that so many bytes of memory were asked for in vain, for the error's text.
void note_failed_allocation(std::uint64_t bytes) noexcept;

/// The size noted last; 0 if there was none.
std::uint64_t failed_allocation() noexcept;

}  // namespace sealite
