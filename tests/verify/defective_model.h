#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/scratch_folder.h"
#include "schema_generated.h"

namespace sealite {

/// Writes `from`, a small .tflite file, to `to` with its tables changed.
inline void change_model(const std::filesystem::path& from, const std::filesystem::path& to,
                         const std::function<void(tfl::ModelT&)>& change) {
  const std::string bytes = read_text(from);
  tfl::ModelT tables;
  tfl::GetModel(bytes.data())->UnPackTo(&tables);
  change(tables);
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(tfl::Model::Pack(builder, &tables), tfl::ModelIdentifier());
  write_text(to, {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
}

/// The tensor called `name`.
inline tfl::TensorT& tensor_called(tfl::ModelT& model, const std::string& name) {
  for (const auto& tensor : model.subgraphs.at(0)->tensors) {
    if (tensor->name == name) return *tensor;
  }
  throw std::runtime_error("no tensor " + name);
}

/// Negates row `row` of a float32 or int8 weight.
inline void negate_row(tfl::ModelT& model, const std::string& name, std::size_t row) {
  const tfl::TensorT& tensor = tensor_called(model, name);
  std::vector<std::uint8_t>& data = model.buffers.at(tensor.buffer)->data;
  const std::size_t row_bytes = data.size() / static_cast<std::size_t>(tensor.shape.at(0));
  for (std::size_t i = row * row_bytes; i < (row + 1) * row_bytes; ++i) {
    if (tensor.type == tfl::TensorType::INT8) {
      data[i] = static_cast<std::uint8_t>(-static_cast<std::int8_t>(data[i]));
    } else if (i % 4 == 3) {
      data[i] ^= 0x80U;  // the sign of a little-endian float
    }
  }
}

}  // namespace sealite
