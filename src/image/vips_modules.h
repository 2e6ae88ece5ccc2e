#pragma once

namespace sealite::image {

/// For programs, before any thread: libvips will not load its modules (ImageMagick, Poppler, OpenSlide,
/// JPEG XL, libheif) when it starts. Sealite reads the formats of none but libheif's: see
/// `load_heif_module`. Where the user has set VIPSHOME, or libvips is built without modules, all stays as it
/// is.
void leave_out_vips_modules();

/// Loads libvips' module for AVIF and HEIC if there is one that is not loaded yet. libvips must have started;
/// if it then knows no such loader, that is what it says when asked for one.
void load_heif_module();

}  // namespace sealite::image
