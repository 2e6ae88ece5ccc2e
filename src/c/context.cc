#include "sealite/context.h"

#include <algorithm>

#include "c/guard.h"
#include "c/handles.h"

namespace sealite::c {
namespace {

// A line that there is no memory for is lost: the call goes on.
template <typename Call>
void with_text(std::string_view text, Call&& call) noexcept {
  try {
    const std::string copy(text);
    call(copy.c_str());
  } catch (...) {
    return;
  }
}

Context make_context(const sealite_context_options& options) {
  Context context;
  context.threads = std::max(1, number_of(options.threads, "threads"));
  context.cache_folder = text_of(options.cache_folder);
  context.litert_library = text_of(options.litert_library);
  void* const user = options.user;
  if (const auto log = options.log; log != nullptr) {
    context.log = [log, user](LogLevel level, std::string_view line) {
      with_text(line, [&](const char* text) { log(user, static_cast<std::int32_t>(level), text); });
    };
  }
  if (const auto progress = options.progress; progress != nullptr) {
    context.progress = [progress, user](std::string_view step, std::uint64_t done, std::uint64_t total) {
      with_text(step, [&](const char* text) { progress(user, text, done, total); });
    };
  }
  if (const auto cancelled = options.cancelled; cancelled != nullptr)
    context.cancelled = [cancelled, user] { return cancelled(user) != 0; };
  return context;
}

}  // namespace
}  // namespace sealite::c

int sealite_context_open(const sealite_context_options* options, sealite_context** context) {
  using namespace sealite::c;
  return guarded([&] {
    open_handle(context, "context",
                [&] { return sealite_context{make_context(known_options(options, "options"))}; });
  });
}

void sealite_context_close(sealite_context* context) {
  sealite::c::close_handle(context);
}
