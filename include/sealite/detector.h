#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sealite/error.h"
#include "sealite/limits.h"
#include "sealite/message.h"
#include "sealite/weight_cache.h"

namespace sealite {

struct DetectorOptions {
  int threads = 1;
  std::filesystem::path litert_library;   ///< libLiteRt.so; empty: searched (docs/pipeline.md).
  bool use_cache = true;                  ///< See weight_cache.h.
  std::filesystem::path cache_folder;     ///< Empty: the user's (weight_cache.h).
  std::uint64_t max_pixels = kMaxPixels;  ///< Of a picture file; larger ones are kUnsupported.
  /// LiteRT prints a line ("INFO: Created TensorFlow Lite XNNPACK delegate for CPU.") to stderr when it loads
  /// a model, and offers no way not to. With `quiet` the process's stderr goes to /dev/null while it loads:
  /// other threads' lines too.
  bool quiet = false;
};

/// What a detector reads in one picture.
struct Detection {
  std::vector<float> logits;  ///< [1 + bits]; column 0 is the unused detection bit.
  std::string message;        ///< Hexadecimal, first bit = most significant bit of the first digit.
  std::size_t ones = 0;       ///< How many bits are 1.
};

/// What one picture of several gave.
struct PictureDetection {
  Detection detection;         ///< Empty if there is an error.
  std::optional<Error> error;  ///< Why the picture could not be read.
  double seconds = 0;          ///< That it took to decode, resize and run.
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

/// Where a candidate stands in its list.
struct CandidateLine {
  std::size_t line = 0;  ///< From 1.
  std::string label;     ///< What the list says behind the message; may be empty.
};

/// A line of a list whose message an earlier one has too.
struct RepeatedCandidate {
  CandidateLine first;
  CandidateLine again;
};

/// The candidate that agrees best with a detection.
struct CandidateMatch {
  MessageMatch match;               ///< Of this candidate by itself.
  std::string message;              ///< Hexadecimal.
  std::string label;                ///< What the list says behind the message; may be empty.
  std::size_t line = 0;             ///< Where it stands in the list, from 1.
  std::size_t candidates = 0;       ///< How many different ones there are.
  double p_value = 1;               ///< match.p_value times the number of candidates, at most 1.
  double log10_p_value = 0;         ///< Also where p_value underflows.
  std::vector<CandidateLine> also;  ///< The later lines with the same message.
};

/// A list of messages that a picture may carry. Movable.
class Candidates {
 public:
  /// Reads a text file or a pipe: on each line a message (as `message_hex` takes it; a text with spaces in it
  /// as text:"SOME WORDS") and, behind white space, a label. Empty lines and '#' comments are skipped. Throws
  /// kNotFound, kIo, and kMalformed with the line's number.
  Candidates(const std::filesystem::path& file, std::size_t bits, const std::string& key = {});
  ~Candidates();
  Candidates(Candidates&&) noexcept;
  Candidates& operator=(Candidates&&) noexcept;
  Candidates(const Candidates&) = delete;
  Candidates& operator=(const Candidates&) = delete;

  /// How many different messages there are.
  std::size_t size() const;
  /// The lines that repeat a message, in the list's order.
  std::vector<RepeatedCandidate> repeats() const;

  /// The best match of a detection with the same number of bits.
  CandidateMatch best(const Detection& detection) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
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

  /// Reads a JPEG, PNG, WebP, AVIF or TIFF file of any size. Here and below, a model whose outputs are NaN or
  /// infinite is kMalformed: they are no message.
  Detection detect_file(const std::filesystem::path& picture);
  /// Reads several files: up to `readers` are decoded while one is in the model. Calls `each` for every
  /// picture in the given order, one at a time, from any thread, while the next one may be in the model: it
  /// must not run the detector (`decode` and `match` do not). A picture that cannot be read is an error in
  /// its result; what `each` throws ends it. Throws kUsage if `readers` is below 1, kInterrupted.
  void detect_files(std::span<const std::filesystem::path> pictures, int readers,
                    const std::function<void(std::size_t index, PictureDetection found)>& each);
  /// Reads 8-bit RGB pixels, row by row (HWC), `height * width * 3` bytes.
  Detection detect_pixels(std::span<const std::uint8_t> rgb, std::int64_t height, std::int64_t width);

  /// Compares with a message, as `message_hex` takes it. Throws kUsage if it does not fit this model.
  MessageMatch match(const Detection& detection, const std::string& expected,
                     const std::string& key = {}) const;
  /// The id or text in a detection, if there is one; never for a model whose `payload_capacity` is 0.
  std::optional<DecodedPayload> decode(const Detection& detection, const std::string& key = {}) const;

  std::size_t bits() const;
  std::int64_t image_size() const;  ///< Height that the model reads.
  bool fully_delegated() const;     ///< XNNPACK took every operator.
  WeightCacheUse cache_use() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealite
