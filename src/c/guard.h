#pragma once

#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "sealite/error.h"

namespace sealite::c {

/// Keeps the text for `sealite_last_error` of this thread and gives the code back. Takes no memory.
int remember(ErrorCode code, std::string_view text) noexcept;

/// Runs the body of a C function: what it throws becomes a code and a text, and nothing leaves it.
template <typename Body>
int guarded(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
    return 0;
  } catch (const Error& error) {
    return remember(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return remember(ErrorCode::kNoMemory, "memory ran out");
  } catch (const std::exception& error) {
    return remember(ErrorCode::kInternal, error.what());
  } catch (...) {
    return remember(ErrorCode::kInternal, "something that is no std::exception was thrown");
  }
}

}  // namespace sealite::c
