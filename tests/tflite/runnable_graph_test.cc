#include "tflite/runnable_graph.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "schema_generated.h"
#include "tflite/reader.h"
#include "tflite/small_model.h"

namespace sealite::tflite {
namespace {

// A sound model whose tables are changed: the flatbuffer stays sound, what it says does not.
class RunnableGraph : public ::testing::Test {
 protected:
  using Change = std::function<void(tfl::ModelT&)>;

  std::filesystem::path changed(const Change& change) const {
    write(small_graph(), folder_ / "sound.tflite", small_options());
    tfl::ModelT tables;
    tfl::GetModel(read_text(folder_ / "sound.tflite").data())->UnPackTo(&tables);
    change(tables);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(tfl::Model::Pack(builder, &tables), tfl::ModelIdentifier());
    std::string bytes(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
    write_text(folder_ / "file.tflite", bytes + std::string(64, '\0'));
    return folder_ / "file.tflite";
  }
  // The tables' indices are sound, so that `read_model` takes it: this is what only LiteRT would stumble on.
  void expect_refused(ErrorCode code, std::string_view says, const Change& change) const {
    SCOPED_TRACE(says);
    const std::filesystem::path path = changed(change);
    EXPECT_NO_THROW(read_model(path));
    expect_error(code, {"file.tflite", says}, [&] { read_runnable_graph(path, "detect"); });
  }
  void expect_unsupported(std::string_view says, const Change& change) const {
    expect_refused(ErrorCode::kUnsupported, says, change);
  }
  void expect_malformed(std::string_view says, const Change& change) const {
    expect_refused(ErrorCode::kMalformed, says, change);
  }
  static tfl::SubGraphT& subgraph(tfl::ModelT& m) { return *m.subgraphs[0]; }
  static tfl::TensorT& output_of(tfl::ModelT& m, std::size_t op) {
    return *subgraph(m).tensors[static_cast<std::size_t>(subgraph(m).operators[op]->outputs[0])];
  }

 private:
  const ScratchFolder folder_;
};

TEST_F(RunnableGraph, WhatSealiteWrites) {
  const graph::Graph graph = read_runnable_graph(changed([](tfl::ModelT&) {}), "detect");
  EXPECT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.shape(graph.inputs[0]), (Shape{1, 6, 6, 3}));
  expect_unsupported("no signature 'detect'",
                     [](tfl::ModelT& m) { m.signature_defs[0]->signature_key = "embed"; });
}

TEST_F(RunnableGraph, ShapesThatInferenceDoesNotGive) {
  expect_malformed("its shape is [1, 3, 3, 6]", [](tfl::ModelT& m) { output_of(m, 0).shape[3] = 6; });
  expect_malformed("its shape is [5]", [](tfl::ModelT& m) { output_of(m, 1).shape = {5}; });
  expect_malformed("bias does not fit", [](tfl::ModelT& m) {
    subgraph(m).tensors[2]->shape = {4};
    m.buffers[subgraph(m).tensors[2]->buffer]->data.resize(16);
  });
  expect_unsupported("shape [1, 2147483647",
                     [](tfl::ModelT& m) { subgraph(m).tensors[0]->shape[1] = 2147483647; });
  expect_malformed("two shapes that differ",
                   [](tfl::ModelT& m) { subgraph(m).tensors[0]->shape_signature = {1, 6, 7, 3}; });
}

TEST_F(RunnableGraph, EndsThatDisagree) {
  expect_malformed("differ in their inputs", [](tfl::ModelT& m) {
    const auto output = static_cast<std::uint32_t>(subgraph(m).outputs[0]);
    m.signature_defs[0]->inputs[0]->tensor_index = output;
  });
  expect_malformed("differ in their outputs", [](tfl::ModelT& m) { subgraph(m).outputs.push_back(0); });
  expect_malformed("inputs without a name",
                   [](tfl::ModelT& m) { m.signature_defs[0]->inputs[0]->name = ""; });
  expect_malformed("2 subgraphs",
                   [](tfl::ModelT& m) { m.subgraphs.push_back(std::make_unique<tfl::SubGraphT>()); });
  expect_malformed("0 signatures", [](tfl::ModelT& m) { m.signature_defs.clear(); });
}

TEST_F(RunnableGraph, TensorsOutOfPlace) {
  expect_malformed("is made twice", [](tfl::ModelT& m) { subgraph(m).operators[1]->outputs.push_back(0); });
  expect_malformed("'lost' is read by nothing", [](tfl::ModelT& m) {
    subgraph(m).tensors.push_back(std::make_unique<tfl::TensorT>());
    subgraph(m).tensors.back()->name = "lost";
  });
  expect_unsupported("not plain float32",
                     [](tfl::ModelT& m) { output_of(m, 0).type = tfl::TensorType::INT8; });
  expect_unsupported("is a variable", [](tfl::ModelT& m) { output_of(m, 0).is_variable = true; });
  expect_unsupported("quantised in another way", [](tfl::ModelT& m) {
    subgraph(m).tensors[1]->quantization = std::make_unique<tfl::QuantizationParametersT>();
  });
}

TEST_F(RunnableGraph, OperatorsOfOthers) {
  expect_unsupported("does not write", [](tfl::ModelT& m) {
    m.operator_codes[1]->builtin_code = tfl::BuiltinOperator::STABLEHLO_COMPOSITE;
  });
  expect_unsupported("with 4 inputs, expected 3",
                     [](tfl::ModelT& m) { subgraph(m).operators[0]->inputs.push_back(0); });
  expect_unsupported("repeated or not in order", [](tfl::ModelT& m) {
    const auto axes = static_cast<std::size_t>(subgraph(m).operators[1]->inputs[1]);
    auto& bytes = m.buffers[subgraph(m).tensors[axes]->buffer]->data;
    std::swap(bytes[0], bytes[4]);
  });
  expect_unsupported("no constant list", [](tfl::ModelT& m) {  // LiteRT fails to run it, or worse
    const auto axes = static_cast<std::size_t>(subgraph(m).operators[1]->inputs[1]);
    subgraph(m).tensors[axes]->shape = {1, 1, 2, 1};
  });
}

// XNNPACK reads a little beyond a weight.
TEST_F(RunnableGraph, WeightAtTheFilesEnd) {
  const std::filesystem::path path = changed([](tfl::ModelT& m) {
    tfl::BufferT& buffer = *m.buffers[subgraph(m).tensors[1]->buffer];
    buffer.data.clear();
    buffer.offset = 64;
    buffer.size = 240;
  });
  EXPECT_NO_THROW(read_runnable_graph(path, "detect"));
  const std::uintmax_t size = std::filesystem::file_size(path);
  const std::filesystem::path last = changed([&](tfl::ModelT& m) {
    tfl::BufferT& buffer = *m.buffers[subgraph(m).tensors[1]->buffer];
    buffer.data.clear();
    buffer.offset = size - 240;
    buffer.size = 240;
  });
  expect_error(ErrorCode::kMalformed, {"ends 0 bytes before the end"},
               [&] { read_runnable_graph(last, "detect"); });
}

// Many tables may share one text: what they claim together is bounded.
TEST_F(RunnableGraph, SharedTextsAreCounted) {
  const std::filesystem::path path = changed([](tfl::ModelT& m) {
    for (int i = 0; i < 40; ++i) {
      m.metadata.push_back(std::make_unique<tfl::MetadataT>());
      m.metadata.back()->name = std::to_string(i);
      m.metadata.back()->buffer = static_cast<std::uint32_t>(m.buffers.size());
    }
    m.buffers.push_back(std::make_unique<tfl::BufferT>());
    m.buffers.back()->data.resize(1U << 20U);
  });
  expect_error(ErrorCode::kMalformed, {"are they shared?"}, [&] { read_model(path); });
}

TEST_F(RunnableGraph, TheShapeOfAWeightCountsWhateverItsSignatureSays) {
  const std::filesystem::path path = changed([](tfl::ModelT& m) {
    tfl::TensorT& weight = *subgraph(m).tensors[1];
    weight.shape_signature = weight.shape;
    weight.shape[0] = 1000;
  });
  expect_error(ErrorCode::kMalformed, {"[1000, 2, 2, 3] but has 240 bytes"}, [&] { read_model(path); });
}

}  // namespace
}  // namespace sealite::tflite
