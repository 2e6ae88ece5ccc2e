#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include "sealite/context.h"
#include "sealite/error.h"

namespace sealite {

/// Makes a host's context this thread's while it lives: so what is deep inside a call knows whom it works
/// for, and two calls on two threads know different hosts. The context has to live as long.
class InContext {
 public:
  explicit InContext(const Context& context);
  ~InContext();
  InContext(const InContext&) = delete;
  InContext& operator=(const InContext&) = delete;

 private:
  const Context* before_;
};

/// This thread's; where there is none, one that allows one thread and says nothing.
const Context& current_context();
/// Whether this thread has one.
bool in_context();

/// Throws kInterrupted once the host wants this call to end. Long loops call it between blocks of work.
void check_cancelled();

/// Whether an error is that, or the program's end of time. What goes on after other errors lets them through.
bool is_cancellation(ErrorCode code);

/// Hands one line to the host's log, if it has one.
void log_line(LogLevel level, std::string_view line);

template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  if (current_context().log) log_line(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace sealite
