#include "image/vips_program.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <gmodule.h>
#include <link.h>
#include <vips/vips.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <string_view>

#include "base/failed_allocation.h"
#include "base/library_stderr.h"

namespace sealite::image {
namespace {

// NOLINTBEGIN: libvips' settings and its own errors are the process' too
bool taken_over = false;
std::atomic<unsigned> lost{0};
// NOLINTEND

void take_warning(const gchar*, GLogLevelFlags, const gchar* message, gpointer) {
  if (std::string_view(message).find("out of memory") != std::string_view::npos) ++lost;
}

// GLib ends the process when it gets no memory. errno tells a handler of that signal why.
void take_failure(const gchar* domain, GLogLevelFlags level, const gchar* message, gpointer data) {
  unsigned long bytes = 0;
  const char* const found = std::strstr(message, "failed to allocate ");
  if (found != nullptr && std::sscanf(found, "failed to allocate %lu bytes", &bytes) == 1) {
    note_failed_allocation(bytes);
    errno = ENOMEM;
    return;
  }
  g_log_default_handler(domain, level, message, data);
}

/// Debian 12's libjxl prints its checks that failed (JXL_FAILURE with a file and a line) to stderr for every
/// broken file and has no way to be silenced: libvips' error says that it is broken, so nothing is lost.
void silence_libjxl() {
#if defined(__GLIBC__)
  static std::FILE* nowhere = nullptr;
  const auto drop = [](void*, const char*, std::size_t size) { return static_cast<ssize_t>(size); };
  void* const symbol = ::dlsym(RTLD_DEFAULT, "JxlDecoderCreate");
  link_map* library = nullptr;
  Dl_info info{};
  if (symbol == nullptr) return;
  if (::dladdr1(symbol, &info, reinterpret_cast<void**>(&library), RTLD_DL_LINKMAP) == 0) return;
  nowhere = ::fopencookie(nullptr, "w", {nullptr, drop, nullptr, nullptr});
  if (nowhere != nullptr) redirect_stderr(*library, &nowhere);
#endif
}

void load_module(const char* loader, const char* file) {
  Dl_info library{};
  if (vips_type_find("VipsOperation", loader) != 0) return;
  if (::dladdr(reinterpret_cast<const void*>(&vips_init), &library) == 0) return;
  const auto folder = fmt::format("vips-modules-{}.{}", vips_version(0), vips_version(1));
  const std::filesystem::path module = std::filesystem::path(library.dli_fname).parent_path() / folder / file;
  // Never closed: libvips keeps its classes.
  g_module_open(module.c_str(), G_MODULE_BIND_LAZY);
}

}  // namespace

void take_over_vips() {
  taken_over = true;
  // libvips looks for its modules below this folder (libvips/iofuncs/init.c: vips_guess_prefix).
  ::setenv("VIPSHOME", "/nonexistent", 0);  // NOLINT(concurrency-mt-unsafe): before any thread
}

void listen_to_vips_of_program() {
  if (!taken_over) return;
  g_log_set_handler("GLib",
                    static_cast<GLogLevelFlags>(G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION),
                    take_failure, nullptr);
  g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, take_warning, nullptr);
}

void set_up_vips_of_program() {
  if (!taken_over) return;
  vips_block_untrusted_set(TRUE);
  // What people have. JPEG XL's is no class yet: its module comes with the first such file.
  vips_operation_block_set("VipsForeignLoadPpm", FALSE);
  vips_operation_block_set("VipsForeignLoadJp2k", FALSE);
  vips_cache_set_max(0);    // every picture is read once
  vips_concurrency_set(1);  // decoding is serial; more threads only take memory
}

unsigned allocations_lost() {
  return lost;
}

void load_vips_module_of(Decoder decoder) {
  static std::once_flag heif;
  static std::once_flag jxl;
  if (decoder == Decoder::kHeif) std::call_once(heif, load_module, "heifload", "vips-heif.so");
  if (decoder == Decoder::kJxl) {
    std::call_once(jxl, [] {
      load_module("jxlload", "vips-jxl.so");
      silence_libjxl();
    });
  }
}

}  // namespace sealite::image
