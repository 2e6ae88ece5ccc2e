#pragma once

#include <filesystem>

// libvips as a wheel has it: no library that the linker knows, but one that is looked for when the first
// picture file is read or written (docs/python.md).

namespace sealite::late_vips {

/// Where libvips is; $SEALITE_LIBVIPS wins. For before the first picture file; empty: only the variable says.
void set_library(const std::filesystem::path& library);

}  // namespace sealite::late_vips
