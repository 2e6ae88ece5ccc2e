#pragma once

#include "image/decoder.h"

namespace sealite::image {

/// For a program that is all Sealite's, before any thread: from now on libvips is set up as suits it when it
/// starts. It keeps no operations, uses one thread for each picture, blocks the loaders that it calls
/// untrusted, but for those of PPM, JPEG XL and JPEG 2000, and does not load its modules (ImageMagick,
/// Poppler, OpenSlide, JPEG XL, libheif: 15 ms of every start, and code that strangers' files could reach;
/// Sealite reads the formats of the last two alone, see `load_vips_module_of`; where the user has set
/// VIPSHOME, or libvips is built without modules, all stays as it is). GLib's and libvips' words of lost
/// memory are listened to, their other warnings go to nobody.
void take_over_vips();

/// What that means just before libvips starts, and once it has; nothing in somebody else's program.
void listen_to_vips_of_program();
void set_up_vips_of_program();

/// How many allocations libvips has told of that it did not get, in a program that took it over.
unsigned allocations_lost();

/// Loads libvips' module for this decoder if it has one that is not loaded yet. libvips must have started; if
/// it then knows no such loader, that is what it says when asked for one.
void load_vips_module_of(Decoder decoder);

}  // namespace sealite::image
