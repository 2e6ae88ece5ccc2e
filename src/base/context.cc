#include "base/context.h"

#include "base/error.h"

namespace sealite {
namespace {

thread_local const Context* current = nullptr;  // NOLINT: see InContext

}  // namespace

InContext::InContext(const Context& context) : before_(std::exchange(current, &context)) {}

InContext::~InContext() {
  current = before_;
}

const Context& current_context() {
  static const Context kSilent;
  return current != nullptr ? *current : kSilent;
}

bool in_context() {
  return current != nullptr;
}

void check_cancelled() {
  const Context& context = current_context();
  if (context.cancelled && context.cancelled())
    fail(ErrorCode::kInterrupted, "interrupted; no unfinished file is left");
}

bool is_cancellation(ErrorCode code) {
  return code == ErrorCode::kInterrupted || code == ErrorCode::kTimeout;
}

void log_line(LogLevel level, std::string_view line) {
  const Context& context = current_context();
  if (context.log) context.log(level, line);
}

}  // namespace sealite
