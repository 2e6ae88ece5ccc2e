#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sealite/error.h"
#include "sealite/limits.h"
#include "sealite/weight_cache.h"

namespace sealite {

struct EmbedderOptions {
  int threads = 1;                        ///< For the model; the rest uses all processors.
  std::filesystem::path litert_library;   ///< libLiteRt.so; empty: searched (docs/pipeline.md).
  bool use_cache = true;                  ///< See weight_cache.h.
  std::filesystem::path cache_folder;     ///< Empty: the user's (weight_cache.h).
  std::uint64_t max_pixels = kMaxPixels;  ///< Of a picture file; larger ones are kUnsupported.
  bool quiet = false;  ///< LiteRT's own line on stderr does not appear (DetectorOptions::quiet).
};

/// Whether the watermark is made weaker where it would be seen (docs/embedding.md).
enum class EmbedAttenuation : std::uint8_t {
  kCard,    ///< As the model's card says, by the full-size picture.
  kNone,    ///< Nowhere.
  kLowres,  ///< As the card says, but by the picture as the model reads it: faster, a little coarser.
};

struct EmbedOptions {
  double strength = 1;  ///< Multiplies the watermark; 0 to 100.
  EmbedAttenuation attenuation = EmbedAttenuation::kCard;
  int quality = 95;  ///< 1 to 100, for JPEG, WebP and AVIF; `embed_file` only.
};

/// What was embedded, and how much it changed the picture.
struct EmbedReport {
  std::string message;  ///< Hexadecimal, first bit = most significant bit of the first digit.
  /// Of the marked RGB pixels before lossy coding, against the original's 8 bits: in dB over all RGB values,
  /// infinite if nothing changed.
  double psnr = 0;
  /// Mean structural similarity of the luma, likewise; absent for pictures below 11 pixels a side.
  std::optional<double> ssim;
  std::int64_t width = 0;  ///< Upright.
  std::int64_t height = 0;
  std::uint64_t bytes = 0;            ///< Of the file; 0 from `embed_pixels`.
  std::vector<std::string> warnings;  ///< What of the input file the output file does not keep.
};

struct EmbeddedPixels {
  std::vector<std::uint8_t> rgb;  ///< HWC, as many as went in.
  EmbedReport report;
};

/// A converted embedder, loaded into LiteRT. Movable; one thread at a time.
class Embedder {
 public:
  /// Checks the file, then loads it. Throws sealite::Error: kMismatch for a detector.
  explicit Embedder(const std::filesystem::path& model, const EmbedderOptions& options = {});
  ~Embedder();
  Embedder(Embedder&&) noexcept;
  Embedder& operator=(Embedder&&) noexcept;
  Embedder(const Embedder&) = delete;
  Embedder& operator=(const Embedder&) = delete;

  /// Marks a JPEG, PNG, WebP, AVIF or TIFF file. `output`'s extension chooses its format; it appears when it
  /// is complete, and nothing is left of it otherwise. Size, RGB colour profile, EXIF, XMP and alpha are
  /// kept; pixels are written upright in 8-bit RGB. `message` is hexadecimal, as `message_hex` and
  /// `random_message_hex` give it. Throws kUsage (another length of message, an extension that is no
  /// picture's, an output that is the input or the model), kUnsupported (too large for the format), and what
  /// reading and writing throw.
  EmbedReport embed_file(const std::filesystem::path& input, const std::filesystem::path& output,
                         const std::string& message, const EmbedOptions& options = {});
  /// Marks 8-bit RGB pixels, row by row (HWC), `height * width * 3` bytes.
  EmbeddedPixels embed_pixels(std::span<const std::uint8_t> rgb, std::int64_t height, std::int64_t width,
                              const std::string& message, const EmbedOptions& options = {});

  std::size_t bits() const;
  std::int64_t image_size() const;  ///< Height that the model reads.
  std::string attenuation() const;  ///< The card's: "none" or "jnd_A_B".
  bool fully_delegated() const;     ///< XNNPACK took every operator.
  WeightCacheUse cache_use() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealite
