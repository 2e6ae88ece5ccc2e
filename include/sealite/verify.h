#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sealite/context.h"
#include "sealite/error.h"
#include "sealite/limits.h"

namespace sealite {

struct VerifyOptions {
  std::filesystem::path checkpoint;  ///< What the model was converted from; empty: unknown.
  std::string card;                  ///< As in ConvertOptions.
  std::string key;                   ///< As in ConvertOptions.
  /// .npz or folder of .npy with tensors from PyTorch: `images` and `logits`; for an embedder `images`,
  /// `messages` and `delta` (or `embedder_delta`). A text `torch_version` in it is quoted in the verdict.
  std::filesystem::path reference;
  std::vector<std::filesystem::path> images;  ///< Real pictures; empty: synthetic ones.
  std::uint64_t max_pixels = kMaxPixels;      ///< Of a picture file; larger ones are kUnsupported.
  int runs = 3;                               ///< Of the first picture, which must agree bit for bit.
  int threads = 0;                            ///< Compared with one thread; 0: as many as the context has.
  std::filesystem::path weight_cache;         ///< A cache file of XNNPACK's that must not be stale.
  Context context = {};
};

/// The numbers are `sealite verify`'s exit statuses.
enum class Verdict : int {
  kMatches = 0,     ///< Every check passed; `compared` says what its numbers were compared with.
  kFails = 1,       ///< A check failed.
  kCannotTell = 2,  ///< Nothing failed, but there was nothing to compare with.
};

enum class CheckOutcome : int { kPass, kFail, kSkipped };

/// One measured number of a check, and what it must keep to.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> at_most;
  std::optional<double> at_least;
};

struct Check {
  std::string name;  ///< "loads", "interface", "inference", "plausible", "checkpoint-numbers", "weights", …
  std::string title;
  CheckOutcome outcome = CheckOutcome::kSkipped;
  std::string finding;  ///< One or two sentences.
  std::vector<Figure> figures;
};

/// One picture's output from the original and from the model: a detector's logits [1 + bits] (column 0 is the
/// unused detection bit), an embedder's delta [H, W, C].
struct ComparedOutput {
  std::string picture;
  std::vector<float> reference;
  std::vector<float> found;
};

/// One picture marked with the original's delta and with the model's, 8 bits. PSNR over all RGB values in dB,
/// infinite for equal pictures.
struct MarkedPicture {
  std::string picture;
  std::string message;      ///< Hexadecimal.
  std::int64_t height = 0;  ///< Of its file; of the model for pictures that are synthetic or saved.
  std::int64_t width = 0;
  double model_against_reference = 0;
  double model_against_picture = 0;
  double reference_against_picture = 0;
};

/// How far a layer's output is from the original's: norm of the difference / norm of the original.
struct LayerDifference {
  std::string name;
  std::string op;  ///< "CONV_2D"
  double error = 0;
};

/// The worst row (output channel) of a stored weight.
struct WeightDifference {
  std::string name;
  std::string type;  ///< "int8"
  std::int64_t row = 0;
  double error = 0;     ///< norm of the difference / norm of the row
  double in_steps = 0;  ///< Root mean square of the difference in rounding steps of that row.
};

struct VerifyReport {
  std::filesystem::path model;
  std::uint64_t bytes = 0;
  std::string part;       ///< "detector" or "embedder"; empty: the file cannot be read.
  std::string card;       ///< As the model's metadata says; empty: it has none.
  std::string precision;  ///< By its stored weights, whatever it says of itself: "int8"
  std::size_t operators = 0;
  Verdict verdict = Verdict::kCannotTell;
  std::string reason;  ///< Why, in one sentence.
  /// What the model's numbers were compared with: "its checkpoint (Sealite's own float32 evaluator)",
  /// "tensors saved from PyTorch 2.13.0".
  std::vector<std::string> compared;
  std::vector<Check> checks;
  std::vector<ComparedOutput> outputs;
  std::vector<MarkedPicture> marked;      ///< Of an embedder, where a reference is known.
  std::vector<LayerDifference> layers;    ///< In the order in which they run, for one picture.
  std::vector<WeightDifference> weights;  ///< The worst first, at most ten.
  double load_seconds = 0;
  double first_run_seconds = 0;
  double run_seconds = 0;  ///< Median of the others, one thread.
  double total_seconds = 0;
};

/// Compares what a converted model computes with what its original computes (docs/verification.md has the
/// checks and the limits). A broken model is a verdict; throws sealite::Error only for what is not about
/// the model: an absent file, an unreadable checkpoint or picture, a missing runtime.
VerifyReport verify_model(const std::filesystem::path& model, const VerifyOptions& options = {});

/// Writes the report as one self-contained HTML page. `command`: how it was made, to be repeated. Throws kIo.
void write_verify_report(const VerifyReport& report, const std::string& command,
                         const std::filesystem::path& output);

}  // namespace sealite
