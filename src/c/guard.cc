#include "c/guard.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "sealite/sealite.h"
#include "sealite/version.h"

namespace sealite::c {
namespace {

// Room for a path (4096) and a sentence; longer texts are cut, between two characters.
std::array<char, 8192>& last_error() {
  thread_local std::array<char, 8192> text{};
  return text;
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace

int remember(ErrorCode code, std::string_view text) noexcept {
  std::array<char, 8192>& kept = last_error();
  std::size_t size = std::min(text.size(), kept.size() - 1);
  while (size > 0 && size < text.size() && is_continuation(text[size])) --size;
  std::ranges::copy(text.substr(0, size), kept.begin());
  kept[size] = '\0';
  return static_cast<int>(code);
}

}  // namespace sealite::c

const char* sealite_version(void) {
  return sealite::version().data();
}

const char* sealite_error_name(int code) {
  using sealite::ErrorCode;
  constexpr ErrorCode kCodes[] = {ErrorCode::kUsage,       ErrorCode::kMalformed, ErrorCode::kNotFound,
                                  ErrorCode::kUnsupported, ErrorCode::kInternal,  ErrorCode::kNoMemory,
                                  ErrorCode::kIo,          ErrorCode::kTimeout,   ErrorCode::kMismatch,
                                  ErrorCode::kInterrupted};
  if (code == 0) return "ok";
  for (const ErrorCode known : kCodes) {
    if (static_cast<int>(known) == code) return sealite::error_code_name(known).data();
  }
  return "unknown";
}

const char* sealite_last_error(void) {
  return sealite::c::last_error().data();
}
