#include "image/vips_modules.h"

#include <dlfcn.h>
#include <gmodule.h>
#include <vips/vips.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include <fmt/format.h>

namespace sealite::image {

// libvips looks for its modules below this folder (libvips/iofuncs/init.c: vips_guess_prefix).
void leave_out_vips_modules() {
  ::setenv("VIPSHOME", "/nonexistent", 0);  // NOLINT(concurrency-mt-unsafe): before any thread
}

void load_heif_module() {
  static std::once_flag once;
  std::call_once(once, [] {
    Dl_info library{};
    if (vips_type_find("VipsOperation", "heifload") != 0) return;
    if (::dladdr(reinterpret_cast<const void*>(&vips_init), &library) == 0) return;
    const auto folder = fmt::format("vips-modules-{}.{}", vips_version(0), vips_version(1));
    const std::filesystem::path module =
        std::filesystem::path(library.dli_fname).parent_path() / folder / "vips-heif.so";
    // Never closed: libvips keeps its classes.
    g_module_open(module.c_str(), G_MODULE_BIND_LAZY);
  });
}

}  // namespace sealite::image
