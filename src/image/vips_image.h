#pragma once

#include <vips/vips.h>

#include <memory>
#include <string_view>

#include "base/error.h"

namespace sealite::image {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
/// Owns one reference to a libvips image, which is a pipeline as much as pixels.
using Image = std::unique_ptr<VipsImage, Unref>;
/// Owns one reference to a part of an image, computed on demand.
using Region = std::unique_ptr<VipsRegion, Unref>;

/// Starts libvips once: without its operation cache, its warnings on stderr and the loaders that it calls
/// untrusted. Throws kInternal.
void start_vips();

/// Without memory libvips may say that all is well and give black pixels: only a warning tells, and not of
/// which picture. So one that another thread reads at the time fails as well (`detect_files` reads it again,
/// alone).
class MemoryWatch {
 public:
  MemoryWatch();
  /// Throws kNoMemory if libvips lacked memory since this was made.
  void check() const;

 private:
  unsigned before_;
};

/// Throws `code` (kNoMemory if that is what failed) with `what` and libvips' own words if `status` is not 0.
void check_vips(int status, ErrorCode code, std::string_view what);

}  // namespace sealite::image
