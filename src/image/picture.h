#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sealite/limits.h"
#include "sealite/pixels.h"

namespace sealite::image {

struct ReadLimits {
  std::uint64_t max_pixels = kMaxPixels;  ///< Checked against the header, before anything is decoded.
};

/// What reading a picture may take for each pixel of the limit, whatever its file says (docs/security.md): so
/// many bytes of memory, the three of its RGB among them, …
inline constexpr std::uint64_t kBytesPerPixel = 6;
/// … and so many passes of a JPEG's scans.
inline constexpr std::uint64_t kScansPerPixel = 32;

/// Reads the first picture of a JPEG, PNG, WebP, AVIF/HEIC, TIFF, GIF, PPM/PGM/PBM, JPEG XL or JPEG 2000
/// file, known by its content, not its name; of a pipe all bytes are read first. The EXIF orientation is
/// applied, grey repeated, alpha dropped, CMYK converted without a profile, of 16 and 32 bits the high byte
/// kept, an embedded profile ignored. So the bytes are those of Pillow's `convert("RGB")` after
/// `exif_transpose`, which the reference pipeline uses; only AVIF differs by rounding and chroma
/// interpolation (libheif, not libavif), and 16-bit grey, which Pillow clips to white. A JPEG that lacks its
/// end marker alone is read with a warning to the log. Throws kNotFound (no such file), kIo (no permission),
/// kMalformed (broken, truncated or not a picture), kUnsupported (over the limit or its budget, a kind that
/// is known and not read, a raw file's preview, samples that have no white, colours that have no RGB).
Picture read_picture(const std::filesystem::path& path, const ReadLimits& limits = {});

/// The same for a file's bytes in memory, which have to stay for the call.
Picture decode_picture(std::span<const std::byte> file, const ReadLimits& limits = {});

/// Whether a regular file begins as one of these, or cannot be opened: whoever reads it is told why.
bool is_picture(const std::filesystem::path& path);

/// Colour profile, EXIF, XMP and resolution of a file (image/metadata.h).
class Metadata;

enum class MetadataBlock : std::uint8_t { kProfile, kExif, kXmp };

/// A block's bytes; empty if there is none. An EXIF or XMP orientation in it is 1, as pixels are upright once
/// read; a profile that is not for RGB is left out.
std::vector<std::uint8_t> metadata_block(const Metadata& metadata, MetadataBlock block);

/// A picture and what its file holds beside it, for writing a changed copy.
struct SourcePicture {
  Picture picture;
  std::vector<std::uint8_t> alpha;           ///< HW, upright, 255 = opaque; empty if there is none.
  std::shared_ptr<const Metadata> metadata;  ///< Colour profile, EXIF, XMP.
  int bits = 8;         ///< Per sample in the file; of more, the high 8 are in `picture`.
  std::string colours;  ///< "RGB", "grey", "CMYK" or "other" in the file.
  int pages = 1;        ///< Pages or frames in the file, the first is in `picture`.
};

/// As `read_picture`. The alpha of CMYK and of floating-point pictures is left out.
SourcePicture read_source(const std::filesystem::path& path, const ReadLimits& limits = {});

}  // namespace sealite::image
