#include "late_vips/library.h"

#include <dlfcn.h>
#include <gmodule.h>
#include <vips/vips.h>

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "late_vips/md5.h"

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): where the process has its libvips
extern "C" {
#define LATE(name) extern void* late_vips_##name;
#include "late_vips/functions.inc"
#undef LATE

/// Every function's place until the library is there. It is jumped to, so that its caller is the function's.
void late_vips_not_loaded() {
  sealite::fail(sealite::ErrorCode::kInternal, "libvips is called before it is loaded");
}
}

namespace sealite::late_vips {
namespace {

constexpr const char* kRemedy =
    "pictures in files need it: `pip install pyvips-binary`, or set SEALITE_LIBVIPS to a libvips.so.42";

std::filesystem::path& chosen_library() {
  static std::filesystem::path library;
  return library;
}

// Those that start libvips are called by themselves: they load it.
decltype(&vips_init) real_vips_init = nullptr;
decltype(&g_log_set_handler) real_g_log_set_handler = nullptr;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

struct Function {
  const char* name;
  void** place;
};

void* open_library() {
  const char* const named = std::getenv("SEALITE_LIBVIPS");
  const std::string library = named != nullptr && *named != '\0' ? named : chosen_library().string();
  if (library.empty()) fail(ErrorCode::kUnsupported, "libvips is not there; {}", kRemedy);
  // Local: its GLib must not take the place of another one in this process. Never closed, as libvips cannot
  // be.
  void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const reason = ::dlerror();  // NOLINT(concurrency-mt-unsafe): glibc's is the thread's own
    fail(ErrorCode::kUnsupported, "libvips cannot be loaded: {}; {}", reason != nullptr ? reason : library,
         kRemedy);
  }
  return handle;
}

void* find(void* handle, const char* name) {
  void* const function = ::dlsym(handle, name);
  if (function == nullptr)
    fail(ErrorCode::kUnsupported, "this libvips has no {}: 8.14 or later is needed; {}", name, kRemedy);
  return function;
}

void load() {
  static const bool loaded = [] {
    void* const handle = open_library();
    static constexpr Function kFunctions[] = {
#define LATE(name) {#name, &late_vips_##name},
#include "late_vips/functions.inc"
#undef LATE
    };
    for (const Function& function : kFunctions) *function.place = find(handle, function.name);
    real_g_log_set_handler =
        reinterpret_cast<decltype(&g_log_set_handler)>(find(handle, "g_log_set_handler"));
    real_vips_init = reinterpret_cast<decltype(&vips_init)>(find(handle, "vips_init"));
    return true;
  }();
  static_cast<void>(loaded);
}

}  // namespace

void set_library(const std::filesystem::path& library) {
  chosen_library() = library;
}

}  // namespace sealite::late_vips

extern "C" {

int vips_init(const char* argv0) {
  sealite::late_vips::load();
  return sealite::late_vips::real_vips_init(argv0);
}

guint g_log_set_handler(const gchar* domain, GLogLevelFlags levels, GLogFunc handler, gpointer data) {
  sealite::late_vips::load();
  return sealite::late_vips::real_g_log_set_handler(domain, levels, handler, data);
}

/// The wheels' libvips has all of its loaders inside, and no GModule.
GModule* g_module_open(const gchar* /*file*/, GModuleFlags /*flags*/) {
  return nullptr;
}

/// MD5 alone, which names parts of long XMP; to be freed with g_free. The wheels' libvips keeps GLib's to
/// itself.
gchar* g_compute_checksum_for_data(GChecksumType type, const guchar* data, gsize size) {
  if (type != G_CHECKSUM_MD5) return nullptr;
  const std::string sum = sealite::late_vips::md5_hex({data, size});
  // What g_free takes is malloc's, as GLib documents since 2.46.
  auto* const text = static_cast<gchar*>(std::malloc(sum.size() + 1));  // NOLINT(cppcoreguidelines-no-malloc)
  if (text == nullptr) sealite::fail(sealite::ErrorCode::kNoMemory, "not enough memory for the picture");
  sum.copy(text, sum.size());
  text[sum.size()] = '\0';
  return text;
}
}
