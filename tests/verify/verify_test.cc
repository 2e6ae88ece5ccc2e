// What `verify` must accept, and what it must catch.
#include "sealite/verify.h"

#include <gtest/gtest.h>

#include <cstring>

#include "checkpoint/torch_writer.h"
#include "expect_error.h"
#include "fixture_files.h"
#include "model/derive_card.h"
#include "model/detector_graph.h"
#include "model/layers.h"
#include "model_file/reader.h"
#include "passes/pass.h"
#include "runtime/litert_library.h"
#include "sealite/convert.h"
#include "sealite/make_checkpoint.h"
#include "tflite/writer.h"
#include "verify/verified_model.h"
#include "watermark/detector_model.h"

namespace sealite {
namespace {

constexpr const char* kLayer = "detector.convnext.stages.2.1.pwconv1";
constexpr const char* kTwin = "detector.convnext.stages.2.0.pwconv1";

class FixturesGolden : public Verify, public ::testing::WithParamInterface<const char*> {};

TEST_P(FixturesGolden, EveryRecipeMatches) {
  const auto checkpoint = fixture(std::string(GetParam()) + ".pth");
  for (const char* recipe : {"float32", "fp16", "int8", "int4"}) {
    VerifyOptions options = against(checkpoint);
    options.images = {fixture("coffee.png"), fixture("photos/astronaut.png")};
    const VerifyReport report = verify_model(convert(checkpoint, recipe), options);
    EXPECT_EQ(report.verdict, Verdict::kMatches) << recipe << ": " << report.reason;
    EXPECT_EQ(report.checks.size(), 10U);
    EXPECT_EQ(report.compared, std::vector<std::string>{"its checkpoint (Sealite's own float32 evaluator)"});
    for (const Check& check : report.checks) EXPECT_EQ(check.outcome, CheckOutcome::kPass) << check.finding;
    EXPECT_GT(report.layers.size(), 20U);
    EXPECT_EQ(report.outputs.size(), 2U);
  }
}

INSTANTIATE_TEST_SUITE_P(Cards, FixturesGolden,
                         ::testing::Values("demo", "chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny",
                                           "videoseal_0.0_tiny"));

using VerifyGolden = Verify;

TEST_F(VerifyGolden, TensorsSavedFromPyTorch) {
  std::filesystem::create_directory(folder / "saved");
  std::filesystem::copy_file(fixture("images_64.npy"), folder / "saved" / "images.npy");
  std::filesystem::copy_file(fixture("demo.detector_logits.npy"), folder / "saved" / "logits.npy");
  VerifyOptions options = against("");
  options.reference = folder / "saved";
  const VerifyReport report = verify_model(convert(demo()), options);
  EXPECT_EQ(report.verdict, Verdict::kMatches) << report.reason;
  EXPECT_EQ(report.outputs.size(), 4U);
  EXPECT_EQ(report.compared,
            std::vector<std::string>{"the tensors in 'saved', which does not say what saved them"});
  // numpy.save(torch.__version__)
  std::string version("\x93NUMPY\x01\x00", 8);
  const std::string header = "{'descr': '<U6', 'fortran_order': False, 'shape': (), }\n";
  version += static_cast<char>(header.size());
  version += '\0' + header;
  for (const char letter : std::string_view("2.13.0")) version += std::string{letter, '\0', '\0', '\0'};
  write_text(folder / "saved" / "torch_version.npy", version);
  EXPECT_EQ(verify_model(folder / "good.tflite", options).compared,
            std::vector<std::string>{"tensors saved from PyTorch 2.13.0"});
  const auto bad = changed(folder / "good.tflite",
                           [](tfl::ModelT& m) { negate_row(m, kLayer + std::string(".weight"), 3); });
  expect_caught(verify_model(bad, options), "reference-numbers", "Logits differ");
}

TEST_F(Verify, WithoutAnOriginalItCannotTell) {
  const VerifyReport report = verify_model(convert(demo()), against(""));
  EXPECT_EQ(report.verdict, Verdict::kCannotTell);
  EXPECT_NE(report.reason.find("--checkpoint"), std::string::npos) << report.reason;
}

TEST_F(Verify, LayoutAndDynamicShapesMatchToo) {
  ConvertOptions options;
  options.layout = ImageLayout::kNhwc;
  convert_detector(demo(), folder / "nhwc.tflite", options);
  EXPECT_EQ(verify_model(folder / "nhwc.tflite", against(demo())).verdict, Verdict::kMatches);
  options.layout = ImageLayout::kNchw;
  options.dynamic = true;
  convert_detector(demo(), folder / "dynamic.tflite", options);
  const VerifyReport report = verify_model(folder / "dynamic.tflite", against(demo()));
  EXPECT_EQ(report.verdict, Verdict::kMatches) << report.reason;
  EXPECT_LT(report.checks.at(0).figures.at(2).value, 100) << "MIRROR_PAD is not delegated";
}

// Replaces a text in the metadata.
void claim(tfl::ModelT& model, const std::string& from, const std::string& to) {
  std::vector<std::uint8_t>& data = model.buffers.at(model.metadata.at(0)->buffer)->data;
  std::string text(data.begin(), data.end());
  text.replace(text.find(from), from.size(), to);
  data.assign(text.begin(), text.end());
}

// The limits are those of its weights, whatever it calls itself.
TEST_F(Verify, AFloatModelThatClaimsToBeInt4) {
  const auto bad = changed(convert(demo()), [](tfl::ModelT& m) { claim(m, "\"float32\"", "\"int4\""); });
  const VerifyReport report = verify_model(bad, against(demo()));
  expect_caught(report, "interface", "precision 'int4', the weights are stored as float32");
  EXPECT_EQ(report.precision, "float32");
  EXPECT_EQ(check_called(report, "checkpoint-numbers").figures.at(0).at_most, 1e-5);
}

// A model with free sizes runs at the size that its tables store, not at one that the metadata names.
TEST_F(Verify, AFreeSizeThatTheMetadataClaims) {
  ConvertOptions options;
  options.dynamic = true;
  convert_detector(demo(), folder / "dynamic.tflite", options);
  const auto bad = changed(folder / "dynamic.tflite",
                           [](tfl::ModelT& m) { claim(m, "\"image_size\":64", "\"image_size\":9999"); });
  expect_caught(verify_model(bad, against(demo())), "interface", "image size 9999, the input is 64x64");
}

TEST_F(Verify, ATensorThatNothingReadsSaysNothingOfThePrecision) {
  const auto model = changed(convert(demo()), [](tfl::ModelT& m) {
    auto idle = std::make_unique<tfl::TensorT>(tensor_called(m, kLayer + std::string(".weight")));
    idle->name = "idle";
    idle->type = tfl::TensorType::INT4;
    idle->buffer = static_cast<std::uint32_t>(m.buffers.size());
    m.buffers.push_back(std::make_unique<tfl::BufferT>());
    m.buffers.back()->data.resize(static_cast<std::size_t>(idle->shape[0] * idle->shape[1] / 2));
    m.subgraphs[0]->tensors.push_back(std::move(idle));
  });
  const VerifyReport report = verify_model(model, against(demo()));
  EXPECT_EQ(report.precision, "float32");
  EXPECT_EQ(check_called(report, "checkpoint-numbers").figures.at(0).at_most, 1e-5);
}

TEST_F(Verify, WeightsOfTheCheckpointThatNoLayerReads) {
  // demo.pth as it is, and a layer more.
  const auto file = checkpoint::Checkpoint::open(demo());
  checkpoint::NewCheckpoint more;
  for (const auto& [name, view] : file.tensors()) {
    more.model.push_back(
        {name, view.type, view.shape, {}, [bytes = view.bytes](std::uint64_t offset, MutableByteView out) {
           std::memcpy(out.data(), bytes.data() + offset, out.size());
         }});
  }
  const std::string extra = "detector.convnext.stages.0.0.temp_block.attn.proj.weight";
  more.model.push_back({extra, DType::kFloat32, {4}, {}, [](std::uint64_t, MutableByteView out) {
                          std::memset(out.data(), 0, out.size());
                        }});
  checkpoint::write_torch_file(folder / "more.pth", more);
  VerifyOptions options = against(folder / "more.pth");
  options.card = fixture("demo.card.yaml").string();
  const VerifyReport report = verify_model(convert(demo()), options);
  expect_caught(report, "checkpoint-tensors", "'" + extra + "'");
  EXPECT_EQ(check_called(report, "interface").outcome, CheckOutcome::kPass) << "it names the same weights";
}

TEST_F(Verify, CatchesANegatedRow) {
  for (const char* recipe : {"float32", "int8"}) {
    const auto bad = changed(convert(demo(), recipe),
                             [](tfl::ModelT& m) { negate_row(m, kLayer + std::string(".weight"), 3); });
    const VerifyReport report = verify_model(bad, against(demo()));
    expect_caught(report, "weights", kLayer + std::string(".weight', row 3"));
    EXPECT_EQ(report.weights.at(0).row, 3);
    if (std::string(recipe) == "float32")
      expect_caught(report, "layers", std::string("The first beyond the limit is '") + kLayer + "'");
  }
}

TEST_F(Verify, CatchesTwoSwappedTensors) {
  const auto bad = changed(convert(demo()), [](tfl::ModelT& m) {
    std::swap(tensor_called(m, kLayer + std::string(".weight")).buffer,
              tensor_called(m, kTwin + std::string(".weight")).buffer);
  });
  const VerifyReport report = verify_model(bad, against(demo()));
  expect_caught(report, "checkpoint-numbers", "Logits differ");
  expect_caught(report, "weights", "2 of ");
  expect_caught(report, "layers", std::string("The first beyond the limit is '") + kTwin + "'");
}

TEST_F(Verify, CatchesAFileThatWasCut) {
  const std::string bytes = read_text(convert(demo()));
  write_text(folder / "cut.tflite", bytes.substr(0, bytes.size() / 2));
  expect_caught(verify_model(folder / "cut.tflite", against(demo())), "loads", "cut off");
  write_text(folder / "cut.tflite", bytes.substr(0, 100));
  expect_caught(verify_model(folder / "cut.tflite", against(demo())), "loads", "cut off");
}

TEST_F(Verify, CatchesABrokenScale) {
  const auto bad = changed(convert(demo(), "int8"), [](tfl::ModelT& m) {
    tensor_called(m, kLayer + std::string(".weight")).quantization->scale.at(7) *= 1.5F;
  });
  expect_caught(verify_model(bad, against(demo())), "weights", kLayer + std::string(".weight', row 7"));
}

// The network with the guide's wrapper around it.
class NormalisesTwice : public model::DetectorNetwork {
 public:
  explicit NormalisesTwice(const model::Card& card) : network_(model::make_detector(card)) {}
  std::vector<model::Parameter> parameters() const override { return network_->parameters(); }
  graph::ValueId build(const model::Weights& weights, graph::Builder& builder,
                       graph::ValueId image) const override {
    const graph::ValueId doubled = builder.binary("wrapper.double", graph::BinaryKind::kMul, image,
                                                  builder.constant("wrapper.two", {}, {2.0F}));
    return network_->build(weights, builder,
                           builder.binary("wrapper", graph::BinaryKind::kSub, doubled,
                                          builder.constant("wrapper.one", {}, {1.0F})));
  }

 private:
  std::unique_ptr<model::DetectorNetwork> network_;
};

TEST_F(Verify, CatchesTheGuidesDoubleNormalisation) {
  const auto file = std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(demo()));
  const NormalisesTwice network(model::derive_card(*file));
  graph::Graph graph =
      model::build_detector_graph(network, model::Weights(file), {ImageLayout::kNchw, 1, 64, 64});
  passes::run_pipeline(graph, {});
  tflite::WriteOptions options;
  options.signature = "detect";
  options.output_names = {"logits"};
  options.metadata = {{"sealite", model_file::read_model(convert(demo())).metadata.at("sealite")}};
  tflite::write(graph, folder / "twice.tflite", options);
  const VerifyReport report = verify_model(folder / "twice.tflite", against(demo()));
  expect_caught(report, "checkpoint-bits", "normalises its input twice");
}

TEST_F(Verify, CatchesAnotherCheckpoint) {
  MakeCheckpointOptions made;
  made.card = fixture("demo.card.yaml").string();
  made.detector_only = true;
  make_checkpoint(folder / "other.pth", made);
  const VerifyReport report = verify_model(convert(demo()), against(folder / "other.pth"));
  expect_caught(report, "interface", "converted from another checkpoint");
  expect_caught(report, "checkpoint-numbers", "Logits differ");
  // Another architecture altogether.
  expect_caught(verify_model(folder / "good.tflite", against(fixture("pixelseal_tiny.pth"))), "interface",
                "converted from another checkpoint");
}

// Models of earlier versions name their checkpoint by another hash: no false alarm, and no claim either.
TEST_F(Verify, AHashOfAnOlderFormatIsNotCompared) {
  const auto with_hash = [&](const std::string& hash) {
    return changed(convert(demo()), [&](tfl::ModelT& m) {
      auto& bytes = m.buffers.at(m.metadata.at(0)->buffer)->data;
      std::string text(bytes.begin(), bytes.end());
      const auto start = text.find("blake3:");
      ASSERT_NE(start, std::string::npos);
      text.replace(start, text.find('"', start) - start, hash);
      bytes.assign(text.begin(), text.end());
    });
  };
  const auto finding = [&](const std::string& hash) {
    const VerifyReport report = verify_model(with_hash(hash), against(demo()));
    EXPECT_EQ(check_called(report, "interface").outcome, CheckOutcome::kPass);
    return check_called(report, "interface").finding;
  };
  const std::string old = finding("0123456789abcdef0123456789abcdef");
  EXPECT_NE(old.find("older format, which cannot be compared"), std::string::npos) << old;
  EXPECT_EQ(old.find("is the one that it names"), std::string::npos) << old;
  EXPECT_NE(finding("").find("no word on its checkpoint"), std::string::npos);
  expect_caught(verify_model(with_hash("blake3:" + std::string(64, '0')), against(demo())), "interface",
                "converted from another checkpoint");
}

TEST_F(Verify, CatchesAStaleWeightCache) {
  MakeCheckpointOptions made;
  made.card = fixture("demo.card.yaml").string();
  made.detector_only = true;
  make_checkpoint(folder / "other.pth", made);
  runtime::RunOptions run;
  run.library = runtime::litert_library();
  run.weight_cache = folder / "cache";
  {
    const runtime::CompiledModel other(convert(folder / "other.pth", "float32", "other.tflite"), "detect",
                                       run);
  }
  VerifyOptions options = against(demo());
  options.weight_cache = folder / "cache";
  expect_caught(verify_model(convert(demo()), options), "repeatable", "the weight cache is stale");
  // Its own cache is no fault.
  EXPECT_EQ(verify_model(folder / "other.tflite",
                         [&] {
                           VerifyOptions own = against(folder / "other.pth");
                           own.weight_cache = folder / "cache";
                           return own;
                         }())
                .verdict,
            Verdict::kMatches);
}

TEST_F(Verify, WhatIsNotAboutTheModelIsAnError) {
  const auto model = convert(demo());
  expect_error(ErrorCode::kNotFound, {"absent"}, [&] { verify_model(folder / "absent", against("")); });
  expect_error(ErrorCode::kNotFound, {"absent"}, [&] { verify_model(model, against(folder / "absent")); });
  VerifyOptions options = against("");
  options.images = {folder / "absent.png"};
  expect_error(ErrorCode::kNotFound, {"absent.png"}, [&] { verify_model(model, options); });
  options = against("");
  options.reference = folder.path();
  expect_error(ErrorCode::kUsage, {"images"}, [&] { verify_model(model, options); });
  options = against("");
  options.context.litert_library = folder / "absent.so";
  expect_error(ErrorCode::kUnsupported, {"absent.so"}, [&] { verify_model(model, options); });
}

}  // namespace
}  // namespace sealite
