#pragma once

#include <cstdint>
#include <istream>

namespace sealite::image {

/// What a JPEG file's markers say of the work that its decoder has.
struct JpegScans {
  std::uint64_t scans = 0;       ///< Passes over the picture; 1 where the decoder needs no more than rows.
  double coefficient_bytes = 0;  ///< For each pixel, that the decoder holds of the whole picture.
  bool complete = true;          ///< No scan is missing that a progressive picture needs.
};

/// Reads the markers of the JPEG file in `file`, from its start, as libjpeg does: bytes between them are
/// skipped. Of a file with one scan only the part before it is read. What is broken is the decoder's to find.
JpegScans count_jpeg_scans(std::istream& file);

/// Whether the JPEG file of `size` bytes has its end marker, whatever follows it.
bool has_jpeg_end(std::istream& file, std::uint64_t size);

}  // namespace sealite::image
