#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sealite/context.h"
#include "sealite/error.h"
#include "sealite/model_source.h"

namespace sealite {

/// A tensor of a checkpoint or a model.
struct InspectedTensor {
  std::string name;
  std::string type;                 ///< "float32"
  std::vector<std::int64_t> shape;  ///< -1 where a model leaves it free.
  std::string storage;              ///< Of a checkpoint: which of its storages; tensors may share one.
  std::uint64_t weight_bytes = 0;   ///< Of a model: 0 for an activation.
};

/// A top-level part of a checkpoint: "model", "optimizer", …
struct InspectedSection {
  std::string name;
  std::size_t tensors = 0;
  std::uint64_t bytes = 0;
  /// What it holds that only code could rebuild, by the names of classes and functions: neither imported nor
  /// called.
  std::vector<std::string> opaque;
};

struct CheckpointInspection {
  std::string format;  ///< "torch", "torchscript", "legacy torch" or "safetensors"
  std::uint64_t bytes = 0;
  std::uint64_t parameters = 0;             ///< Trained values, a shared storage counted once.
  std::map<std::string, std::string> args;  ///< Flattened to texts.
  std::vector<InspectedSection> sections;
  std::vector<InspectedTensor> tensors;  ///< Of the model, by name.
  /// Of the model: tensors whose values Sealite does not read, and what they are ("complex64", a class).
  std::map<std::string, std::string> unreadable;
  std::vector<std::string> notes;  ///< What was found in an unusual place or by unusual names.
};

struct InspectedSignature {
  std::string key;  ///< "detect"
  std::vector<InspectedTensor> inputs;
  std::vector<InspectedTensor> outputs;
};

struct ModelInspection {
  std::uint64_t bytes = 0;
  std::string description;
  bool weights_outside = false;  ///< They lie behind the flatbuffer.
  std::vector<InspectedSignature> signatures;
  std::map<std::string, std::size_t> operators;  ///< "CONV_2D", and how many.
  std::map<std::string, std::string> metadata;   ///< Name and text.
  std::vector<InspectedTensor> tensors;
};

/// Whether a file starts as TFLite models do. False for what cannot be read.
bool is_model_file(const std::filesystem::path& file);

/// What a checkpoint holds; nothing in it is executed, and no weight is read. `key`: see ConvertOptions.
/// Throws kNotFound, kMalformed, kUnsupported, kUsage.
CheckpointInspection inspect_checkpoint(const std::filesystem::path& checkpoint, const Context& context = {},
                                        const std::string& key = {});

/// What a .tflite model holds, checked as for every use (docs/file-format.md); any converter's. Throws
/// kNotFound, kMalformed.
ModelInspection inspect_model(const ModelSource& model, const Context& context = {});

}  // namespace sealite
