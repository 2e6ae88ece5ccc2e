#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "pixels/picture_reader.h"
#include "sealite/pixels.h"
#include "sealite/sealite.h"

namespace sealite::c {

/// A caller's pixels. Throws kUsage for an unknown format.
PixelView view_of(const sealite_pixels* pixels, const char* name);
MutablePixelView view_of(const sealite_mutable_pixels* pixels, const char* name);

/// All of an array.
std::vector<PixelView> views_of(const sealite_pixels* const* pictures, std::size_t count, const char* name);

/// Pixels for what takes picture files: each has a name, by which `reader` gives it. This library reads no
/// picture files.
class NamedPixels {
 public:
  explicit NamedPixels(std::vector<PixelView> views) : views_(std::move(views)) {}

  std::vector<std::filesystem::path> names() const;
  /// Has to be used while this lives. It throws kUsage for views that are none.
  pixels::PictureReader reader() const;

 private:
  std::vector<PixelView> views_;
};

}  // namespace sealite::c
