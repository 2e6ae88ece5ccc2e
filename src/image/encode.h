#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "image/picture.h"

namespace sealite::image {

enum class FileFormat : std::uint8_t { kJpeg, kPng, kWebp, kAvif, kTiff };

/// What a file's extension says, in any case: .jpg .jpeg .jfif .png .webp .avif .tif .tiff. Throws kUsage for
/// others.
FileFormat format_of(const std::filesystem::path& path);

/// Throws kUnsupported for pictures that are too large for the format: JPEG 65,535 pixels a side, WebP
/// 16,383, AVIF 16,384 and 25 megapixels in all, since its encoder takes gigabytes beyond.
void check_fits(FileFormat format, std::int64_t height, std::int64_t width);

/// JPEG alone has no alpha channel.
inline bool keeps_alpha(FileFormat format) {
  return format != FileFormat::kJpeg;
}

struct EncodeOptions {
  FileFormat format = FileFormat::kPng;
  int quality = 95;  ///< 1 to 100, for JPEG, WebP and AVIF; from 90 on without chroma subsampling.
  std::span<const std::uint8_t> alpha;  ///< HW; empty: none. Left out if the format has none.
  const Metadata* metadata = nullptr;   ///< Colour profile, EXIF, XMP; null: none.
};

/// What of `metadata` a file of this format cannot keep, in words ("its C2PA manifest is left out: …").
std::vector<std::string> left_out(const Metadata& metadata, FileFormat format);

/// Encodes a picture into `file`, which the caller commits, as it is made: PNG and TIFF (deflate) without
/// loss. JPEG, PNG and TIFF need memory for a few rows only, WebP and AVIF for the whole picture. Returns the
/// file's size in bytes. Throws what `AtomicFile::write` throws, kInterrupted, and kUnsupported if libvips
/// cannot.
std::uint64_t encode_picture(const Picture& picture, const EncodeOptions& options, AtomicFile& file);

}  // namespace sealite::image
