#include "image/vips_image.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

#include "base/failed_allocation.h"
#include "base/warn.h"

namespace sealite::image {
namespace {

std::atomic<unsigned> allocations_lost{0};  // NOLINT: libvips' own errors are the process' too

void take_warning(const gchar*, GLogLevelFlags, const gchar* message, gpointer) {
  if (std::string_view(message).find("out of memory") != std::string_view::npos) ++allocations_lost;
}

// GLib ends the process when it gets no memory. errno tells a handler of that signal why.
void take_failure(const gchar*, GLogLevelFlags, const gchar* message, gpointer) {
  unsigned long bytes = 0;
  const char* const found = std::strstr(message, "failed to allocate ");
  if (found != nullptr && std::sscanf(found, "failed to allocate %lu bytes", &bytes) == 1) {
    note_failed_allocation(bytes);
    errno = ENOMEM;
    return;
  }
  warn("GLib: {}", message);
}

/// libvips' error buffer as one printable line; it quotes file names and bytes of the file.
std::string take_vips_error() {
  constexpr std::size_t kLongest = 300;
  char* copied = vips_error_buffer_copy();  // also empties it
  std::string text = copied != nullptr ? copied : "";
  g_free(copied);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  text.erase(text.find_last_not_of(' ') + 1);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text.empty() ? "libvips gives no reason" : text;
}

}  // namespace

void start_vips() {
  static std::once_flag once;
  std::call_once(once, [] {
    g_log_set_handler(
        "GLib", static_cast<GLogLevelFlags>(G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION),
        take_failure, nullptr);
    if (vips_init("sealite") != 0) fail(ErrorCode::kInternal, "libvips cannot start: {}", take_vips_error());
    vips_block_untrusted_set(TRUE);
    vips_cache_set_max(0);    // every picture is read once
    vips_concurrency_set(1);  // decoding is serial; more threads only take memory
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, take_warning, nullptr);
  });
}

MemoryWatch::MemoryWatch() : before_(allocations_lost) {}

void MemoryWatch::check() const {
  if (allocations_lost != before_) fail(ErrorCode::kNoMemory, "not enough memory for the picture");
}

void check_vips(int status, ErrorCode code, std::string_view what) {
  if (status == 0) return;
  const std::string error = take_vips_error();
  // Of a picture that is sound, as far as anybody knows.
  const bool no_memory = error.find("vips_tracked: out of memory") != std::string::npos;
  fail(no_memory ? ErrorCode::kNoMemory : code, "{} ({})", what, error);
}

}  // namespace sealite::image
