#pragma once

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/torch_writer.h"
#include "float_checks.h"
#include "model/parameter.h"

namespace sealite::model {

/// A tensor of a checkpoint that a test writes, its values given as floats.
struct SmallTensor {
  std::string name;
  Shape shape;
  std::vector<float> values;
  DType type = DType::kFloat32;  // or kFloat16, kInt64

  std::vector<std::byte> bytes() const {
    std::vector<std::byte> result(dtype_bytes(type, values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t half = float_to_half(values[i]);
      const auto integer = type == DType::kInt64 ? static_cast<std::int64_t>(values[i]) : 0;
      if (type == DType::kFloat16) std::memcpy(&result[i * 2], &half, 2);
      if (type == DType::kFloat32) std::memcpy(&result[i * 4], &values[i], 4);
      if (type == DType::kInt64) std::memcpy(&result[i * 8], &integer, 8);
    }
    return result;
  }
};

/// Random values for what a network wants, around the centres and within the spreads that it names.
inline std::vector<SmallTensor> random_tensors(const std::vector<Parameter>& parameters, unsigned seed = 1) {
  std::vector<SmallTensor> tensors;
  for (const Parameter& p : parameters) {
    tensors.push_back(
        {p.name, p.shape, random_values(p.shape, seed++, p.center - p.spread, p.center + p.spread)});
    tensors.back().type = p.type;
  }
  return tensors;
}

inline void write_checkpoint(const std::filesystem::path& path, const std::vector<SmallTensor>& tensors,
                             const std::string& args_yaml = {}) {
  checkpoint::NewCheckpoint content;
  content.args_yaml = args_yaml;
  for (const SmallTensor& tensor : tensors) {
    checkpoint::NewTensor entry;
    entry.name = tensor.name;
    entry.type = tensor.type;
    entry.shape = tensor.shape;
    entry.fill = [bytes = tensor.bytes()](std::uint64_t offset, MutableByteView out) {
      std::memcpy(out.data(), bytes.data() + offset, out.size());
    };
    content.model.push_back(std::move(entry));
  }
  checkpoint::write_torch_file(path, content);
}

inline std::shared_ptr<const checkpoint::Checkpoint> open_checkpoint(const std::filesystem::path& path) {
  return std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(path));
}

}  // namespace sealite::model
