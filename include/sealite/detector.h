#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sealite/context.h"
#include "sealite/error.h"
#include "sealite/message.h"
#include "sealite/model_source.h"
#include "sealite/pixels.h"
#include "sealite/weight_cache.h"

namespace sealite {

struct DetectorOptions {
  Context context = {};       ///< For the detector's whole life; it holds a copy.
  int inference_threads = 0;  ///< For the model alone; 0: `context.threads`.
};

/// What a detector reads in one picture.
struct Detection {
  std::vector<float> logits;  ///< [1 + bits]; column 0 is the unused detection bit.
  std::string message;        ///< Hexadecimal, first bit = most significant bit of the first digit.
  std::size_t ones = 0;       ///< How many bits are 1.
};

/// How a detection agrees with an expected message.
struct MessageMatch {
  std::size_t matches = 0;
  std::size_t bits = 0;
  double p_value = 1;  ///< Probability that an unmarked picture agrees at least as well (one-sided binomial).
  double log10_p_value = 0;

  /// The share of bits that agree, 0 to 1.
  double accuracy() const { return static_cast<double>(matches) / static_cast<double>(bits); }
};

/// A converted detector, loaded into LiteRT. Movable. For one call at a time: a second one from another
/// thread meanwhile is kUsage; several detectors may run at once.
class Detector {
 public:
  /// Checks the model, then loads it. Throws kNotFound, kMalformed (broken, hostile), kMismatch (no
  /// detector), kUnsupported (no LiteRT, not made by Sealite), kNoMemory.
  explicit Detector(const ModelSource& model, const DetectorOptions& options = {});
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  /// Reads one picture of any size: resized as PyTorch does (antialiased bilinear, float32), never copied
  /// before. Throws kUsage for a view that is none, kMalformed if the model's outputs are NaN or infinite:
  /// they are no message.
  Detection detect(const PixelView& picture);
  /// Reads several, which need not have one size; the next is resized while one is in the model, if the
  /// context has a second thread. As many results, in order.
  std::vector<Detection> detect(std::span<const PixelView> pictures);

  /// Compares with a message, as `message_hex` takes it. Throws kUsage if it does not fit this model.
  MessageMatch match(const Detection& detection, const std::string& expected,
                     const std::string& key = {}) const;
  /// The id or text in a detection, if there is one; never for a model whose `payload_capacity` is 0.
  std::optional<DecodedPayload> decode(const Detection& detection, const std::string& key = {}) const;

  std::size_t bits() const;
  std::int64_t image_size() const;  ///< Height that the model reads.
  bool fully_delegated() const;     ///< XNNPACK took every operator.
  WeightCacheUse cache_use() const;
  const Context& context() const;

 private:
  friend struct DetectorAccess;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealite
