#include "model_file/runnable_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "model_file/reader.h"
#include "schema_generated.h"
#include "tflite/small_model.h"

namespace sealite::model_file {

using namespace tflite;
namespace {

// A sound model whose tables are changed: the flatbuffer stays sound, what it says does not.
class RunnableGraph : public ::testing::Test {
 protected:
  using Change = std::function<void(tfl::ModelT&)>;

  std::filesystem::path changed(const Change& change) const {
    WriteOptions options = small_options();
    options.metadata.pop_back();  // only ours
    write(small_graph(), folder_ / "sound.tflite", options);
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

// LiteRT acts on some names: "model_control_dependencies" made 1,184 bytes take 16.8 GB.
TEST_F(RunnableGraph, MetadataOfOtherNames) {
  const auto add = [](tfl::ModelT& m, const std::string& name, std::size_t bytes) {
    m.metadata.push_back(std::make_unique<tfl::MetadataT>());
    m.metadata.back()->name = name;
    m.metadata.back()->buffer = static_cast<std::uint32_t>(m.buffers.size());
    m.buffers.push_back(std::make_unique<tfl::BufferT>());
    m.buffers.back()->data.resize(bytes, '1');
  };
  for (const char* name : {"model_control_dependencies", "LiteRtStamp", "CONVERSION_METADATA",
                           "buffer_location", "reduced_precision_support"})
    expect_unsupported("entry of another name", [&](tfl::ModelT& m) { add(m, name, 16); });
  EXPECT_NO_THROW(
      read_runnable_graph(changed([&](tfl::ModelT& m) { add(m, "min_runtime_version", 16); }), "detect"));
  expect_malformed("more than 32 bytes", [&](tfl::ModelT& m) { add(m, "min_runtime_version", 33); });
  expect_malformed("two metadata entries 'sealite'", [&](tfl::ModelT& m) { add(m, "sealite", 1); });
}

// Files that an attacker made: one that is sound, one with LiteRT's metadata, one that ran at an unchecked
// size.
TEST_F(RunnableGraph, AnAttackersFiles) {
  const auto read = [](const char* name) {
    read_runnable_graph(std::filesystem::path(SEALITE_SOURCE_DIR "/fuzz/corpus/runnable_graph") / name,
                        "detect");
  };
  EXPECT_NO_THROW(read("base.tflite"));
  expect_error(ErrorCode::kUnsupported, {"entry of another name"}, [&] { read("cdm_edges.tflite"); });
  expect_error(ErrorCode::kUnsupported, {"expected one square picture"},
               [&] { read("free_slice_m1.tflite"); });
}

// What else LiteRT reads of a file before anybody asks for it.
TEST_F(RunnableGraph, TablesThatLiteRtParsesByItself) {
  expect_unsupported("schema version 4", [](tfl::ModelT& m) { m.version = 4; });
  expect_unsupported("the model has fields", [](tfl::ModelT& m) { m.metadata_buffer = {0}; });
  // It looks up each operator code, and loads a library for those called Flex….
  expect_unsupported("no operator uses", [](tfl::ModelT& m) {
    m.operator_codes.push_back(std::make_unique<tfl::OperatorCodeT>());
    m.operator_codes.back()->builtin_code = static_cast<tfl::BuiltinOperator>(32);
  });
  expect_unsupported("operator code has fields",
                     [](tfl::ModelT& m) { m.operator_codes[0]->custom_code = "FlexConv2D"; });
  expect_unsupported("version 9, expected 1", [](tfl::ModelT& m) { m.operator_codes[0]->version = 9; });
  expect_unsupported("subgraph has another name",
                     [](tfl::ModelT& m) { subgraph(m).name = "VALIDATION:main"; });
  EXPECT_NO_THROW(read_runnable_graph(changed([](tfl::ModelT& m) { subgraph(m).name = "main"; }), "detect"));
  // It takes a name up to the first zero byte.
  expect_malformed("zero byte in its name",
                   [](tfl::ModelT& m) { output_of(m, 0).name = std::string("a\0b", 3); });
  expect_malformed("zero byte in its name",
                   [](tfl::ModelT& m) { m.signature_defs[0]->inputs[0]->name = std::string("image\0", 6); });
}

// `bytes` with a field more in the table at `at`: one that our schema does not have, and LiteRT's may.
std::string with_field(std::string bytes, std::size_t at, int field) {
  const auto load = [&](std::size_t place, auto value) {
    std::memcpy(&value, bytes.data() + place, sizeof value);
    return value;
  };
  const std::size_t old = at - static_cast<std::size_t>(load(at, std::int32_t{}));
  std::string table = bytes.substr(old, load(old, std::uint16_t{}));
  const auto entry = static_cast<std::size_t>(4 + 2 * field);
  table.resize(std::max(table.size(), entry + 2));
  const std::uint16_t place = 4;  // behind the table's own offset there is always something
  const auto size = static_cast<std::uint16_t>(table.size());
  std::memcpy(table.data() + entry, &place, 2);
  std::memcpy(table.data(), &size, 2);
  const auto back = static_cast<std::int32_t>(at) - static_cast<std::int32_t>(bytes.size());
  std::memcpy(bytes.data() + at, &back, 4);
  return bytes + table + std::string(64, '\0');
}

// Custom options, external weights (files that the model names), variants, debug information, and what will
// be.
TEST_F(RunnableGraph, FieldsBeyondOurSchema) {
  const std::string bytes = read_text(changed([](tfl::ModelT&) {}));
  const tfl::Model& model = *tfl::GetModel(bytes.data());
  const tfl::SubGraph& graph = *model.subgraphs()->Get(0);
  const tfl::Operator& conv = *graph.operators()->Get(0);
  const struct {
    const char* says;
    const void* table;
    int field;
  } fields[] = {{"the model has fields", &model, 8},
                {"the subgraph has fields", &graph, 5},
                {"a tensor has fields", graph.tensors()->Get(1), 9},
                {"a tensor has fields", graph.tensors()->Get(1), 10},
                {"a tensor has fields", graph.tensors()->Get(1), 6},
                {"an operator has fields", &conv, 5},
                {"an operator has fields", &conv, 9},
                {"'conv': options", conv.builtin_options(), 7},
                {"an operator code has fields", model.operator_codes()->Get(0), 4},
                {"a buffer has fields", model.buffers()->Get(1), 3},
                {"metadata has fields", model.metadata()->Get(0), 2},
                {"the signature has fields", model.signature_defs()->Get(0), 5},
                {"the signature has fields", model.signature_defs()->Get(0)->inputs()->Get(0), 2}};
  for (const auto& [says, table, field] : fields) {
    SCOPED_TRACE(says);
    const std::filesystem::path path = changed([](tfl::ModelT&) {});
    write_text(
        path,
        with_field(bytes, static_cast<std::size_t>(static_cast<const char*>(table) - bytes.data()), field));
    EXPECT_NO_THROW(read_model(path));
    expect_error(ErrorCode::kUnsupported, {"file.tflite", says},
                 [&] { read_runnable_graph(path, "detect"); });
  }
}

TEST_F(RunnableGraph, OptionsThatSealiteDoesNotWrite) {
  const auto head = [](tfl::ModelT& m) {
    return subgraph(m).operators[2]->builtin_options.AsFullyConnectedOptions();
  };
  expect_unsupported("'head': options", [&](tfl::ModelT& m) { head(m)->asymmetric_quantize_inputs = true; });
  expect_unsupported("'conv': options", [](tfl::ModelT& m) {
    subgraph(m).operators[0]->builtin_options.AsConv2DOptions()->quantized_bias_type = tfl::TensorType::INT64;
  });
  expect_unsupported("'mean': inputs in another form", [](tfl::ModelT& m) {
    subgraph(m).tensors[static_cast<std::size_t>(subgraph(m).operators[1]->inputs[1])]->shape = {1, 2};
  });
}

// LiteRT's two readers go by different rules where a buffer is ambiguous.
TEST_F(RunnableGraph, BuffersThatAreAmbiguous) {
  const auto weight = [](tfl::ModelT& m) -> tfl::BufferT& {
    return *m.buffers[subgraph(m).tensors[1]->buffer];
  };
  expect_malformed("lies at 1 + 0", [&](tfl::ModelT& m) { weight(m).offset = 1; });
  expect_malformed("lies at 0 + 240", [&](tfl::ModelT& m) { weight(m).size = 240; });
  expect_malformed("lies at 72 + 240", [&](tfl::ModelT& m) {
    weight(m).data.clear();
    weight(m).offset = 72;
    weight(m).size = 240;
  });
  expect_malformed("is used by nothing", [](tfl::ModelT& m) {
    m.buffers.push_back(std::make_unique<tfl::BufferT>());
    m.buffers.back()->data = {1, 2, 3, 4};
  });
  expect_malformed("is used twice",
                   [](tfl::ModelT& m) { m.metadata[0]->buffer = subgraph(m).tensors[1]->buffer; });
}

// A model with free sizes runs at its picture's size: that is what was checked.
TEST_F(RunnableGraph, PicturesThatAreNotOneSquare) {
  const auto resize = [](std::int32_t height, std::int32_t width) {
    return [=](tfl::ModelT& m) {
      subgraph(m).tensors[0]->shape = {1, height, width, 3};
      subgraph(m).tensors[0]->shape_signature = {1, -1, -1, 3};
      output_of(m, 0).shape = {1, height / 2, width / 2, 5};
    };
  };
  EXPECT_NO_THROW(read_runnable_graph(changed(resize(64, 64)), "detect"));
  expect_unsupported("[1, 64, 100, 3], expected one square picture", resize(64, 100));
  expect_unsupported("[1, 8192, 8192, 3], expected one square picture of 4 to 4096", resize(8192, 8192));
  expect_unsupported("[2, 64, 64, 3], expected one square picture", [&](tfl::ModelT& m) {
    resize(64, 64)(m);
    subgraph(m).tensors[0]->shape[0] = 2;
    subgraph(m).tensors[0]->shape_signature[0] = -1;
    output_of(m, 0).shape[0] = 2;
    output_of(m, 1).shape[0] = 2;
    output_of(m, 2).shape[0] = 2;
  });
}

// 240 bytes of a filter: 16 taps for each of 4093 x 4093 pixels are 2 GB of addresses.
TEST_F(RunnableGraph, MemoryThatASmallFileMayNotTake) {
  expect_unsupported("bytes of memory beside the weights", [](tfl::ModelT& m) {
    subgraph(m).operators[0]->builtin_options.AsConv2DOptions()->stride_h = 1;
    subgraph(m).operators[0]->builtin_options.AsConv2DOptions()->stride_w = 1;
    subgraph(m).tensors[0]->shape = {1, 4096, 4096, 3};
    subgraph(m).tensors[1]->shape = {1, 4, 5, 3};
    subgraph(m).tensors[2]->shape = {1};
    m.buffers[subgraph(m).tensors[2]->buffer]->data.resize(4);
    output_of(m, 0).shape = {1, 4093, 4092, 1};
    output_of(m, 1).shape = {1, 1};
    tfl::TensorT& head = *subgraph(m).tensors[static_cast<std::size_t>(subgraph(m).operators[2]->inputs[1])];
    head.shape = {4, 1};
    m.buffers[head.buffer]->data.resize(16);
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
}  // namespace sealite::model_file
