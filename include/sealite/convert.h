#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sealite/context.h"
#include "sealite/error.h"
#include "sealite/image_layout.h"
#include "sealite/limits.h"

namespace sealite {

/// Which of a checkpoint's two networks.
enum class Part : std::uint8_t {
  kDetector,  ///< Reads the message of a picture.
  kEmbedder,  ///< Makes what is added to a picture to put a message in.
  kBoth,      ///< Each in a file of its own.
};

struct ConvertOptions {
  Part part = Part::kDetector;  ///< For `convert`.
  std::string card;             ///< Compiled-in name or YAML file; empty: derived from the checkpoint.
  /// Which of a file's state dicts, and of its networks by what their names begin with ("ema",
  /// "state_dict.model"); empty: `model`, `state_dict` or the only one.
  std::string key;
  std::int64_t image_size = 0;  ///< Height and width in pixels; 0: the card's.
  ImageLayout layout = ImageLayout::kNchw;
  bool dynamic = false;              ///< Batch, height and width stay free (detectors).
  std::string quantize = "float32";  ///< Recipe: float32, fp16, int8 or int4.
  std::vector<std::string> keep;     ///< "REGEX=float32|fp16|int8": layers, by name, that the recipe spares.
  std::vector<std::filesystem::path>
      calibrate;                          ///< Pictures on which rounding errors are corrected; may be empty.
  std::uint64_t max_pixels = kMaxPixels;  ///< Of one of them; larger ones are kUnsupported.
  bool gptq = false;              ///< Round so that errors compensate each other on these pictures; slow.
  bool layer_errors = false;      ///< Fill `ConvertReport::layers`.
  bool allow_non_finite = false;  ///< Convert NaN and infinite weights too; else they are kMalformed.
  std::string model_name;         ///< For `convert_into`: a word of the file's name; empty: the card's name.
  /// Also replace a file that another conversion made, or that is no model of Sealite's. If not, that is
  /// kUsage: only the model of the same checkpoint, card, part and options, as its metadata says, gives way
  /// to the new one.
  bool replace_others = true;
  bool sync = false;       ///< Wait until the disk has the file.
  std::string stop_after;  ///< Name of the last pass to run; empty: all. The result may not be writable.
  /// Called after each pass with its name and the graph as text (only made if this is set).
  std::function<void(std::string_view pass, const std::function<std::string()>& dump)> after_pass;
  Context context = {};
};

/// What quantising did to one layer. Errors are relative: norm of the difference / norm of the original.
struct QuantizedLayer {
  std::string name;
  std::string format;
  std::uint64_t weights = 0;
  double weight_error = 0;
  std::optional<double>
      output_error;  ///< Of the layer's output, on exact inputs (with calibration pictures).
  /// Of the model's output when only this layer is quantised (with pictures).
  std::optional<double> logits_effect;
};

struct ConvertReport {
  Part part = Part::kDetector;
  std::filesystem::path output;
  std::uint64_t bytes = 0;
  std::string card;
  std::string precision;        ///< The coarsest recipe among those that its weights are stored in: "float32"
  std::string precision_label;  ///< The same for readers.
  std::vector<std::int64_t> input_shape;    ///< "image", -1 where free.
  std::vector<std::int64_t> message_shape;  ///< "message" [N, bits] of an embedder, else empty.
  std::vector<std::int64_t> output_shape;   ///< "logits" [N, 1 + bits] or "delta".
  std::uint64_t multiply_accumulates = 0;   ///< For one picture.
  std::size_t operators = 0;
  std::uint64_t parameters = 0;
  std::vector<QuantizedLayer> layers;  ///< The worst first; empty unless asked for.
  std::string checkpoint_hash;         ///< "blake3:…", of this part's tensors (docs/file-format.md).
  /// Tensors with NaN or infinite values, and how many of them; empty unless these are allowed.
  std::vector<std::pair<std::string, std::uint64_t>> non_finite;
  /// Tensors of this part that no layer reads and that change nothing: counters, profilers' counts. Others
  /// are refused (kMismatch).
  std::vector<std::string> unread;
};

/// Turns the detector in a .pth or .safetensors checkpoint into a .tflite file with the signature `detect`
/// (`image` float32 RGB in [0,1] -> `logits` [N, 1 + bits]). Weights stream from file to file: tens of
/// megabytes of memory for gigabytes of model. Throws sealite::Error; no file is left then.
ConvertReport convert_detector(const std::filesystem::path& checkpoint, const std::filesystem::path& output,
                               const ConvertOptions& options = {});

/// The same for the embedder, with the signature `embed`: `image` float32 RGB in [0,1] and `message` float32
/// zeros and ones [1, bits] -> `delta` in [-1,1], [1,C,S,S] or [1,S,S,C]. C is 1 for models that mark the
/// luma; the luma is computed inside. The file's metadata says how a delta is added to a picture.
ConvertReport convert_embedder(const std::filesystem::path& checkpoint, const std::filesystem::path& output,
                               const ConvertOptions& options = {});

/// The parts that `options.part` names, from one opening of the checkpoint. `kBoth` writes `output`
/// "NAME.tflite" as "NAME.detector.tflite" and "NAME.embedder.tflite"; if either fails, neither is left.
std::vector<ConvertReport> convert(const std::filesystem::path& checkpoint,
                                   const std::filesystem::path& output, const ConvertOptions& options);

/// The same, into a folder, which is made if it is not there, under the conversion guide's names:
/// CARD_PART_MODEL_SIZE.tflite, "chunkyseal_detector_chunkyseal_256.tflite", with "_dynamic", "_nhwc" and the
/// recipe
/// ("_int8") behind the size where the model is one of these.
std::vector<ConvertReport> convert_into(const std::filesystem::path& checkpoint,
                                        const std::filesystem::path& folder, const ConvertOptions& options);

/// A choice by its name, as `ConvertOptions` takes it.
struct NamedChoice {
  std::string name;
  std::string summary;  ///< One line.
};

std::vector<std::string> card_names();          ///< The compiled-in model cards.
std::vector<NamedChoice> conversion_recipes();  ///< For `quantize`.
std::vector<NamedChoice> conversion_passes();   ///< In the order in which they run.

}  // namespace sealite
