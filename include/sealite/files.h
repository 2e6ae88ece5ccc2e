#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sealite/context.h"
#include "sealite/detector.h"
#include "sealite/embedder.h"
#include "sealite/limits.h"
#include "sealite/pixels.h"

// Pictures in files, by libvips. A host that has pixels needs none of this.

namespace sealite {

struct ReadOptions {
  std::uint64_t max_pixels = kMaxPixels;  ///< Of a picture; larger ones are kUnsupported, by their header.
};

/// Decodes a JPEG, PNG, WebP, AVIF, TIFF, GIF, PPM, JPEG XL or JPEG 2000 file, or what a pipe gives: upright,
/// 8-bit RGB (docs/pipeline.md). What is odd in a file and read all the same goes to the context's log.
/// Throws kNotFound, kIo (no permission), kMalformed, kUnsupported, kNoMemory.
Picture read_picture(const std::filesystem::path& file, const ReadOptions& options = {},
                     const Context& context = {});
/// The same for a file's bytes in memory, which have to stay for the call.
Picture decode_picture(std::span<const std::byte> file, const ReadOptions& options = {},
                       const Context& context = {});

/// Whether a file begins as one of the pictures that `read_picture` reads; true for what may not be opened:
/// reading it says why.
bool is_picture_file(const std::filesystem::path& file);

/// Reads the watermark of a picture file. Throws what `read_picture` and `Detector::detect` throw.
Detection detect_file(Detector& detector, const std::filesystem::path& picture,
                      const ReadOptions& options = {});

/// What one picture of several gave.
struct PictureDetection {
  Detection detection;         ///< Empty if there is an error.
  std::optional<Error> error;  ///< Why the picture could not be read.
  double seconds = 0;          ///< That it took to decode, resize and run.
};

/// Reads several files: up to `readers` are decoded while one is in the model, each on a thread of its own
/// beside this one. Calls `each` for every picture in the given order, one at a time, from any thread, while
/// the next one may be in the model: it must not run the detector (`decode` and `match` do not). A picture
/// that cannot be read is an error in its result; what `each` throws ends it. Throws kUsage if `readers` is
/// below 1, kInterrupted.
void detect_files(Detector& detector, std::span<const std::filesystem::path> pictures, int readers,
                  const std::function<void(std::size_t index, PictureDetection found)>& each,
                  const ReadOptions& options = {});

struct EmbedFileOptions {
  ReadOptions read;
  EmbedOptions embed;
  int quality = 95;  ///< 1 to 100, for JPEG, WebP and AVIF.
};

struct EmbedFileReport {
  EmbedReport embedded;
  std::uint64_t bytes = 0;            ///< Of the written file.
  std::vector<std::string> warnings;  ///< What of the input file the output file does not keep.
};

/// Throws kUsage unless the file's extension says a picture format that can be written.
void check_output_format(const std::filesystem::path& file);

/// Marks a picture file of any kind that `read_picture` reads. `output`'s extension chooses its format; it
/// appears when it is complete, and nothing is left of it otherwise. Size, RGB colour profile, EXIF, XMP and
/// alpha are kept; pixels are written upright in 8-bit RGB. Throws kUsage (another length of message, an
/// extension that is no picture's, an output that is the input or the model), kUnsupported (too large for the
/// format), and what reading and writing throw.
EmbedFileReport embed_file(Embedder& embedder, const std::filesystem::path& input,
                           const std::filesystem::path& output, const std::string& message,
                           const EmbedFileOptions& options = {});

/// For a program that is all Sealite's, before any thread: sets libvips and GLib up as `sealite` does, for
/// the whole process: no operation cache, one thread a picture, no loaders that libvips calls untrusted, no
/// modules, and lack of memory is noticed wherever it strikes. Without it no setting of theirs is changed.
void take_over_libvips();

}  // namespace sealite
