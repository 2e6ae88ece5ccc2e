#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include "evaluate/evaluate.h"
#include "runtime/compiled_model.h"
#include "runtime/litert_library.h"

namespace sealite::runtime {

inline CompiledModel load_model(const std::filesystem::path& path, std::string_view signature) {
  RunOptions options;
  options.library = litert_library();
  return CompiledModel(path, signature, options);
}

/// Where the tensor called `name` is in `tensors`: LiteRT keeps no order that the file tells.
inline std::size_t index_of(const std::vector<TensorInfo>& tensors, std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &TensorInfo::name);
  EXPECT_NE(found, tensors.end()) << "no tensor " << name;
  return static_cast<std::size_t>(found - tensors.begin());
}

/// What LiteRT makes of `inputs`, which belong to `graph`'s inputs by position; resizes where the shape is
/// another.
inline std::vector<evaluate::Tensor> run_in_litert(CompiledModel& model, const graph::Graph& graph,
                                                   const std::vector<evaluate::Tensor>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::size_t index = index_of(model.inputs(), graph.value(graph.inputs[i]).name);
    if (model.input_shape(index) != inputs[i].shape) model.resize_input(index, inputs[i].shape);
    model.write_input(index, inputs[i].values);
  }
  model.run();
  std::vector<evaluate::Tensor> outputs;
  for (const graph::ValueId id : graph.outputs) {
    // A lone output may be called otherwise in the signature.
    const std::size_t index = graph.outputs.size() == 1 ? 0 : index_of(model.outputs(), graph.value(id).name);
    outputs.push_back({model.output_shape(index), model.read_output(index)});
  }
  return outputs;
}

}  // namespace sealite::runtime
