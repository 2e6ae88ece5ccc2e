#pragma once

#include <filesystem>
#include <vector>

#include "pixels/picture_reader.h"
#include "sealite/convert.h"

namespace sealite::conversion {

/// The public `convert`, with somebody's reader of picture files.
std::vector<ConvertReport> convert(const std::filesystem::path& checkpoint,
                                   const std::filesystem::path& output, const ConvertOptions& options,
                                   const pixels::PictureReader& read_picture);

/// The public `convert_into`, likewise.
std::vector<ConvertReport> convert_into(const std::filesystem::path& checkpoint,
                                        const std::filesystem::path& folder, const ConvertOptions& options,
                                        const pixels::PictureReader& read_picture);

}  // namespace sealite::conversion
