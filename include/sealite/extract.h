#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sealite/context.h"
#include "sealite/error.h"

namespace sealite {

/// Which tensors of the `model` dict are kept.
enum class ExtractPart : std::uint8_t {
  kDetector,  ///< those under "detector."
  kEmbedder,  ///< those under "embedder."
  kAll,       ///< every tensor of the `model` dict
};

/// How floating-point tensors are stored; all others stay as they are.
enum class ExtractType : std::uint8_t { kAsInFile, kFloat32, kFloat16, kBFloat16 };

struct ExtractOptions {
  ExtractPart part = ExtractPart::kDetector;
  ExtractType dtype = ExtractType::kAsInFile;
  Context context = {};
  std::string key = {};  ///< As in ConvertOptions.
};

/// How `args` were kept.
enum class ExtractedArgs : std::uint8_t {
  kNone,      ///< The file has none.
  kText,      ///< YAML text, byte for byte.
  kDict,      ///< A dict of plain values.
  kMetadata,  ///< Flattened to texts in a safetensors file's `__metadata__`.
};

/// What stayed behind.
struct DroppedPart {
  std::string name;
  std::size_t tensors = 0;
  std::uint64_t bytes = 0;  ///< Memory that tensors share is counted once.
};

struct ExtractReport {
  std::filesystem::path output;
  std::string format;       ///< "torch" or "safetensors"
  std::uint64_t bytes = 0;  ///< Size of the output file.
  std::size_t tensors = 0;
  std::uint64_t tensor_bytes = 0;                           ///< Of the tensors, as they are written.
  std::vector<std::pair<std::string, std::size_t>> dtypes;  ///< "float32", and how many tensors have it.
  ExtractedArgs args = ExtractedArgs::kNone;
  std::optional<std::int64_t> epoch;
  std::vector<std::string> dropped_args;      ///< Entries of `args` that only code could rebuild.
  std::vector<DroppedPart> dropped_sections;  ///< Top-level parts of the file: "optimizer", …
  std::vector<DroppedPart> dropped_prefixes;  ///< Parts of the model: "embedder", …
  /// A tensor, and the earlier one whose memory it shares: also in a .pth file, but a .safetensors file holds
  /// both.
  std::vector<std::pair<std::string, std::string>> shared;
  /// Tensors with finite values that were too large for `dtype` and became infinite, and how many of them.
  std::vector<std::pair<std::string, std::uint64_t>> overflowed;
};

/// Copies a part of a .pth or .safetensors checkpoint, with its `args` and `epoch`, to a new file, whose
/// format follows its extension: .pth or .pt for a torch zip, .safetensors. Bytes stream from file to file:
/// tens of megabytes of memory for gigabytes of model. Throws sealite::Error (kUsage for another extension or
/// an output that is the checkpoint, kMismatch if the part has no tensors); no file is left then.
ExtractReport extract(const std::filesystem::path& checkpoint, const std::filesystem::path& output,
                      const ExtractOptions& options = {});

}  // namespace sealite
