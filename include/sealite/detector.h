#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sealite/error.h"

namespace sealite {

struct DetectorOptions {
  int threads = 1;
  std::filesystem::path litert_library;  ///< libLiteRt.so; empty: searched (docs/pipeline.md).
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
};

/// A converted detector, loaded into LiteRT. Movable; one thread at a time.
class Detector {
 public:
  /// Checks the file, then loads it. Throws sealite::Error.
  explicit Detector(const std::filesystem::path& model, const DetectorOptions& options = {});
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  /// Reads a JPEG, PNG, WebP, AVIF or TIFF file of any size.
  Detection detect_file(const std::filesystem::path& picture);
  /// Reads 8-bit RGB pixels, row by row (HWC), `height * width * 3` bytes.
  Detection detect_pixels(std::span<const std::uint8_t> rgb, std::int64_t height, std::int64_t width);

  /// Compares with a message in hexadecimal. Throws kUsage if it is not one of this model's length.
  MessageMatch match(const Detection& detection, const std::string& expected_hex) const;

  std::size_t bits() const;
  std::int64_t image_size() const;  ///< Height that the model reads.
  bool fully_delegated() const;     ///< XNNPACK took every operator.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealite
