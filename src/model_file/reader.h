#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/mapped_file.h"
#include "base/shape.h"
#include "sealite/model_source.h"

namespace sealite::model_file {

class ModelFile;

struct ModelTensor {
  std::string name;  // in a signature: the signature's name for it
  DType type = DType::kFloat32;
  Shape shape;                     // -1 where free
  std::uint64_t weight_bytes = 0;  // 0: an activation
  bool read = false;               // by an operator; not set in a signature
};

struct ModelSignature {
  std::string key;
  std::vector<ModelTensor> inputs;
  std::vector<ModelTensor> outputs;
};

/// What a .tflite file says about itself.
struct ModelInfo {
  std::uint64_t file_bytes = 0;
  std::string description;
  std::vector<ModelSignature> signatures;
  std::map<std::string, std::string, std::less<>> metadata;   // name -> text
  std::map<std::string, std::size_t, std::less<>> operators;  // "CONV_2D" -> how many
  std::vector<ModelTensor> tensors;                           // of all subgraphs
  bool weights_outside = false;                               // Buffer.offset is used
};

/// Reads and checks a .tflite file, so that an untrusted one can go to the runtime, which accepts files that
/// it should refuse: the flatbuffer's own structure, every index and offset, the size of every weight, and
/// that each operator reads only what is there. Only the tables are touched, not the weights. Throws
/// kNotFound, or kMalformed saying what is wrong.
ModelInfo read_model(const std::filesystem::path& path);
/// The same in two steps, for who goes on with the very bytes that were checked. Throws kNotFound or
/// kMalformed.
std::shared_ptr<const ModelFile> open_model(const ModelSource& source);
ModelInfo read_model(const ModelFile& file);
/// Its path, or what its source was called.
std::string name_of(const ModelFile& file);
/// To be run.
std::shared_ptr<const MappedFile> mapped_bytes(const ModelFile& file);

}  // namespace sealite::model_file
