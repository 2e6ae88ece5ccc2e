#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sealite/context.h"
#include "sealite/error.h"
#include "sealite/model_source.h"
#include "sealite/pixels.h"
#include "sealite/weight_cache.h"

namespace sealite {

struct EmbedderOptions {
  Context context = {};       ///< For the embedder's whole life; it holds a copy.
  int inference_threads = 0;  ///< For the model alone; 0: `context.threads`.
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
  bool metrics = false;  ///< Fill `EmbedReport::psnr` and `ssim`: as much work as marking.
};

/// What was embedded, and how much it changed the picture.
struct EmbedReport {
  std::string message;  ///< Hexadecimal, first bit = most significant bit of the first digit.
  /// Of the marked RGB pixels before lossy coding, against the original's 8 bits: in dB over all RGB values,
  /// infinite if nothing changed. Only where metrics were asked for.
  std::optional<double> psnr;
  /// Mean structural similarity of the luma, likewise; absent for pictures below 11 pixels a side.
  std::optional<double> ssim;
  std::int64_t width = 0;  ///< Upright.
  std::int64_t height = 0;
};

/// A converted embedder, loaded into LiteRT. Movable. For one call at a time: a second one from another
/// thread meanwhile is kUsage; several embedders may run at once.
class Embedder {
 public:
  /// Checks the model, then loads it. Throws as `Detector`; kMismatch for a detector.
  explicit Embedder(const ModelSource& model, const EmbedderOptions& options = {});
  ~Embedder();
  Embedder(Embedder&&) noexcept;
  Embedder& operator=(Embedder&&) noexcept;
  Embedder(const Embedder&) = delete;
  Embedder& operator=(const Embedder&) = delete;

  /// Marks `picture` into `marked`, which has the same format and size, or is the very same view. `message`
  /// is hexadecimal, as `message_hex` and `random_message_hex` give it. Alpha in `marked` is not written.
  /// Throws kUsage (another length of message, views that do not fit), kMalformed (the model gives NaN or
  /// infinity).
  EmbedReport embed(const PixelView& picture, const MutablePixelView& marked, const std::string& message,
                    const EmbedOptions& options = {});

  std::size_t bits() const;
  std::int64_t image_size() const;  ///< Height that the model reads.
  std::string attenuation() const;  ///< The card's: "none" or "jnd_A_B".
  bool fully_delegated() const;     ///< XNNPACK took every operator.
  WeightCacheUse cache_use() const;
  std::string name() const;  ///< Its path, or what its source was called.
  const Context& context() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealite
