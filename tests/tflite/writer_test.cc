#include "tflite/writer.h"

#include <gtest/gtest.h>

#include "base/mapped_file.h"
#include "base/scratch_folder.h"
#include "expect_error.h"
#include "model_file/reader.h"
#include "schema_generated.h"
#include "tflite/run_in_litert.h"
#include "tflite/small_model.h"

namespace sealite::tflite {
namespace {

using Operators = std::map<std::string, std::size_t, std::less<>>;

class Writer : public ::testing::Test {
 protected:
  const ScratchFolder folder;
  const std::filesystem::path file = folder / "model.tflite";
};

class WriterPlacement : public Writer, public ::testing::WithParamInterface<WeightPlacement> {};

TEST_P(WriterPlacement, WhatIsWrittenIsRead) {
  const graph::Graph graph = small_graph();
  WriteOptions options = small_options(GetParam());
  options.output_names = {"logits"};
  const WriteResult written = write(graph, file, options);
  EXPECT_EQ(written.operators, 3U);
  EXPECT_EQ(written.file_bytes, std::filesystem::file_size(file));
  EXPECT_EQ(folder.entries(), 1);

  const model_file::ModelInfo info = model_file::read_model(file);
  EXPECT_EQ(info.file_bytes, written.file_bytes);
  EXPECT_EQ(info.description, "a small model");
  EXPECT_EQ(info.weights_outside, GetParam() == WeightPlacement::kOutside);
  EXPECT_EQ(info.operators, (Operators{{"CONV_2D", 1}, {"MEAN", 1}, {"FULLY_CONNECTED", 1}}));
  EXPECT_EQ(info.metadata.at("sealite"), R"({"bits":3})");
  EXPECT_EQ(info.metadata.at("empty"), "");
  ASSERT_EQ(info.signatures.size(), 1U);
  const model_file::ModelSignature& signature = info.signatures[0];
  EXPECT_EQ(signature.key, "detect");
  ASSERT_EQ(signature.inputs.size(), 1U);
  EXPECT_EQ(signature.inputs[0].name, "image");
  EXPECT_EQ(signature.inputs[0].shape, (Shape{1, 6, 6, 3}));
  ASSERT_EQ(signature.outputs.size(), 1U);
  EXPECT_EQ(signature.outputs[0].name, "logits");
  EXPECT_EQ(signature.outputs[0].shape, (Shape{1, 4}));
  std::map<std::string, std::uint64_t> weights;
  for (const model_file::ModelTensor& tensor : info.tensors) {
    if (tensor.weight_bytes > 0) weights[tensor.name] = tensor.weight_bytes;
  }
  EXPECT_EQ(weights, (std::map<std::string, std::uint64_t>{{"conv.weight", 240},
                                                           {"conv.bias", 20},
                                                           {"mean.indices", 8},
                                                           {"head.weight", 80},
                                                           {"head.bias", 16}}));
}

TEST_P(WriterPlacement, GivesTheEvaluatorsNumbers) {
  const graph::Graph graph = small_graph();
  write(graph, file, small_options(GetParam()));
  auto model = runtime::load_model(file, "detect");
  const auto found = runtime::run_in_litert(model, graph, {small_input()});
  expect_near(found.at(0).values, evaluate::evaluate(graph, {small_input()}).at(0).values, 1e-6, 1e-6);
}

// XNNPACK's kernels may read 16 bytes past a weight.
TEST_P(WriterPlacement, WeightsAreAlignedAndNotAtTheEnd) {
  write(small_graph(), file, small_options(GetParam()));
  const MappedFile mapped(file);
  const auto* start = reinterpret_cast<const std::uint8_t*>(mapped.bytes().data());
  for (const tfl::Buffer* buffer : *tfl::GetModel(start)->buffers()) {
    if (buffer->offset() > 1) {
      EXPECT_EQ(buffer->offset() % 64, 0U);
      EXPECT_LE(buffer->offset() + buffer->size() + 16, mapped.size());
    } else if (buffer->data() != nullptr && buffer->data()->size() > 0) {
      EXPECT_EQ((buffer->data()->data() - start) % 16, 0);
      EXPECT_LE(static_cast<std::uint64_t>(buffer->data()->data() - start) + buffer->data()->size() + 16,
                mapped.size());
    }
  }
}

TEST_P(WriterPlacement, IsDeterministic) {
  graph::Graph graph = small_graph();
  graph::Builder builder(graph);
  // Several blocks of 2 MB, from several threads.
  const Shape wide{3000, 500};
  const auto x = builder.input("x", {1, 500});
  graph.outputs.push_back(builder.add("wide", graph::FullyConnected{},
                                      {x, builder.constant("wide.weight", wide, random_values(wide, 9)),
                                       builder.constant("wide.bias", graph::filled({3000}, 0.5F))}));
  write(graph, file, small_options(GetParam()));
  write(graph, folder / "again.tflite", small_options(GetParam()));
  EXPECT_EQ(read_text(file), read_text(folder / "again.tflite"));
}

INSTANTIATE_TEST_SUITE_P(Weights, WriterPlacement,
                         ::testing::Values(WeightPlacement::kInside, WeightPlacement::kOutside),
                         [](const auto& placement) {
                           return placement.param == WeightPlacement::kInside ? "Inside" : "Outside";
                         });

TEST_F(Writer, InsideAndOutsideAnswerAlike) {
  const graph::Graph graph = small_graph();
  std::vector<std::vector<float>> answers;
  for (const auto placement : {WeightPlacement::kInside, WeightPlacement::kOutside}) {
    write(graph, file, small_options(placement));
    auto model = runtime::load_model(file, "detect");
    answers.push_back(runtime::run_in_litert(model, graph, {small_input()}).at(0).values);
  }
  EXPECT_EQ(answers[0], answers[1]);
}

TEST_F(Writer, SmallModelsKeepTheirWeightsInside) {
  write(small_graph(), file, small_options());
  EXPECT_FALSE(model_file::read_model(file).weights_outside);
}

TEST_F(Writer, SharedConstantsAreWrittenOnce) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const auto x = builder.input("x", {1, 4});
  const auto weight = builder.constant("weight", {4, 4}, random_values({4, 4}, 1));
  const auto bias = builder.constant("bias", {4}, {1, 2, 3, 4});
  const auto y = builder.add("a", graph::FullyConnected{}, {x, weight, bias});
  graph.outputs = {builder.add("b", graph::FullyConnected{}, {y, weight, bias})};
  write(graph, file, small_options());
  EXPECT_EQ(std::ranges::count_if(model_file::read_model(file).tensors,
                                  [](const auto& t) { return t.weight_bytes > 0; }),
            2);
}

TEST_F(Writer, DynamicShapesAreFree) {
  WriteOptions options = small_options();
  options.dynamic_shapes = true;
  const graph::Graph graph = small_graph();
  write(graph, file, options);
  const model_file::ModelSignature signature = model_file::read_model(file).signatures.at(0);
  EXPECT_EQ(signature.inputs[0].shape, (Shape{-1, -1, -1, 3}));
  EXPECT_EQ(signature.outputs[0].shape, (Shape{-1, 4}));
  auto model = runtime::load_model(file, "detect");
  for (const Shape& shape : {Shape{1, 6, 6, 3}, Shape{3, 10, 4, 3}, Shape{1, 2, 2, 3}}) {
    const evaluate::Tensor input{shape, random_values(shape, 7)};
    const auto found = runtime::run_in_litert(model, graph, {input}).at(0);
    const auto wanted = evaluate::evaluate(graph, {input}).at(0);
    EXPECT_EQ(found.shape, wanted.shape);
    expect_near(found.values, wanted.values, 1e-6, 1e-6);
  }
}

// A pixelwise model: heights and widths of the output follow the input's.
TEST_F(Writer, DynamicPixelsOfTheOutputAreFreeToo) {
  for (const bool nchw : {false, true}) {
    graph::Graph graph;
    graph::Builder builder(graph);
    const auto x = builder.input("x", nchw ? Shape{1, 3, 4, 4} : Shape{1, 4, 4, 3});
    graph.outputs = {builder.unary("y", graph::UnaryKind::kTanh, x)};
    WriteOptions options = small_options();
    options.dynamic_shapes = true;
    options.layout = nchw ? ImageLayout::kNchw : ImageLayout::kNhwc;
    write(graph, file, options);
    const model_file::ModelSignature signature = model_file::read_model(file).signatures.at(0);
    const Shape free = nchw ? Shape{-1, 3, -1, -1} : Shape{-1, -1, -1, 3};
    EXPECT_EQ(signature.inputs[0].shape, free);
    EXPECT_EQ(signature.outputs[0].shape, free);
  }
}

TEST_F(Writer, NoPlaceToWrite) {
  expect_error(ErrorCode::kIo, {"no/such/folder"},
               [&] { write(small_graph(), folder / "no/such/folder/x.tflite", small_options()); });
  expect_error(ErrorCode::kUsage, {"is a folder"},
               [&] { write(small_graph(), folder.path(), small_options()); });
  EXPECT_EQ(folder.entries(), 0);
}

class Breaking : public graph::Source {
 public:
  Breaking() : Source(DType::kFloat32, {100'000, 100}) {}
  void read(graph::Rows rows, MutableByteView) const override {
    if (rows.begin > 50'000) fail(ErrorCode::kIo, "the source broke");
  }
};

TEST_F(Writer, AFailureLeavesTheOldFile) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const auto x = builder.input("x", {1, 100});
  graph.outputs = {builder.add("fc", graph::FullyConnected{},
                               {x, builder.constant("weight", std::make_shared<Breaking>()),
                                builder.constant("bias", graph::filled({100'000}, 0))})};
  for (const auto placement : {WeightPlacement::kInside, WeightPlacement::kOutside}) {
    expect_error(ErrorCode::kIo, {"the source broke"}, [&] { write(graph, file, small_options(placement)); });
    EXPECT_EQ(folder.entries(), 0);
  }
  write_text(file, "precious");
  expect_error(ErrorCode::kIo, {}, [&] { write(graph, file, small_options()); });
  EXPECT_EQ(read_text(file), "precious");
  EXPECT_EQ(folder.entries(), 1);
}

TEST_F(Writer, WhatHasNoOperatorIsRefused) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const auto x = builder.input("x", {1, 4});
  graph.outputs = {builder.add("norm", graph::LayerNorm{}, {x})};
  expect_error(ErrorCode::kInternal, {"'norm'", "LAYER_NORM"}, [&] { write(graph, file, small_options()); });
  graph.nodes.clear();
  const graph::Op fused = graph::Binary{graph::BinaryKind::kSquaredDifference, graph::Activation::kRelu};
  graph.outputs = {builder.add("difference", fused, {x, x})};
  expect_error(ErrorCode::kInternal, {"'difference'", "activation"},
               [&] { write(graph, file, small_options()); });
  EXPECT_EQ(folder.entries(), 0);
}

// A constant of 2.46 GB: one number everywhere, so it costs nothing until it is written.
graph::Graph huge_graph() {
  graph::Graph graph;
  graph::Builder builder(graph);
  const auto x = builder.input("x", {1, 1024});
  graph.outputs = {builder.add("fc", graph::FullyConnected{},
                               {x, builder.constant("weight", graph::filled({600'000, 1024}, 0.25F)),
                                builder.constant("bias", graph::filled({600'000}, 1))})};
  return graph;
}

TEST_F(Writer, MetadataMayBeCompletedWhenAllWeightsWereRead) {
  for (const auto placement : {WeightPlacement::kInside, WeightPlacement::kOutside}) {
    WriteOptions options = small_options(placement);
    options.metadata = {{"first", "a text"}, {"second", "0000"}};
    options.final_metadata = [] { return WriteOptions::Metadata{{"first", "a text"}, {"second", "4321"}}; };
    write(small_graph(), file, options);
    EXPECT_EQ(model_file::read_model(file).metadata.at("first"), "a text");
    EXPECT_EQ(model_file::read_model(file).metadata.at("second"), "4321");
    // But for that it is the file that it would have been.
    const std::string completed = read_text(file);
    options.metadata[1].second = "4321";
    options.final_metadata = nullptr;
    write(small_graph(), file, options);
    EXPECT_EQ(read_text(file), completed);
    options.final_metadata = [] {
      return WriteOptions::Metadata{{"first", "a longer text"}, {"second", "1"}};
    };
    expect_error(ErrorCode::kInternal, {"'first'"}, [&] { write(small_graph(), file, options); });
  }
}

TEST_F(Writer, MoreThanTwoGigabytesDoNotFitInside) {
  expect_error(ErrorCode::kUnsupported, {"2 GB"},
               [&] { write(huge_graph(), file, small_options(WeightPlacement::kInside)); });
  EXPECT_EQ(folder.entries(), 0);
}

using SlowWriter = Writer;

TEST_F(SlowWriter, MoreThanTwoGigabytesGoOutside) {
  const WriteResult written = write(huge_graph(), file, small_options());
  EXPECT_GT(written.file_bytes, 2'457'600'000U);
  EXPECT_EQ(written.file_bytes, std::filesystem::file_size(file));
  const model_file::ModelInfo info = model_file::read_model(file);
  EXPECT_TRUE(info.weights_outside);
  EXPECT_EQ(std::ranges::count(info.tensors, 2'457'600'000U, &model_file::ModelTensor::weight_bytes), 1);
  const MappedFile mapped(file);
  for (const std::uint64_t offset :
       {std::uint64_t{1} << 20U, std::uint64_t{1} << 31U, std::uint64_t{2'400'000'000}})
    EXPECT_EQ(load<float>(mapped.bytes(), offset), 0.25F);
  std::filesystem::resize_file(file, written.file_bytes - 100'000);
  expect_error(ErrorCode::kMalformed, {"cut off"}, [&] { model_file::read_model(file); });
}

}  // namespace
}  // namespace sealite::tflite
