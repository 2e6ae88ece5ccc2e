// What `verify` must accept of an embedder, and what it must catch.
#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.h"
#include "model/derive_card.h"
#include "model/embedder_graph.h"
#include "model_file/reader.h"
#include "passes/pass.h"
#include "sealite/make_checkpoint.h"
#include "tflite/writer.h"
#include "verify/verified_model.h"

namespace sealite {
namespace {

constexpr const char* kEmbedderLayer = "embedder.unet.bottleneck.model.1.double_conv.0";
constexpr const char* kEmbedderTwin = "embedder.unet.bottleneck.model.1.double_conv.3";
constexpr const char* kAgainstReference = "PSNR, model against reference";

class VerifyEmbedder : public Verify {
 protected:
  // At the checkpoint's own size of picture, or another.
  std::filesystem::path embedder(const std::filesystem::path& checkpoint,
                                 const std::string& recipe = "float32", std::int64_t image_size = 0) const {
    return convert(checkpoint, recipe, "good.tflite", Part::kEmbedder, image_size);
  }
  // The tensors of a fixture under the names that --reference wants; `delta` may have either name.
  std::filesystem::path saved(const std::string& name, const std::string& delta) const {
    std::filesystem::create_directory(folder / name);
    for (const auto& [from, to] : {std::pair<std::string, std::string>("images_64", "images"),
                                   {name + ".messages", "messages"},
                                   {name + ".embedder_delta", delta}}) {
      std::filesystem::copy_file(fixture(from + ".npy"), folder / name / (to + ".npy"));
    }
    return folder / name;
  }
  std::filesystem::path other_checkpoint() const {
    MakeCheckpointOptions made;
    made.card = fixture("demo.card.yaml").string();
    make_checkpoint(folder / "other.pth", made);
    return folder / "other.pth";
  }
};

class EmbedderFixturesGolden : public VerifyEmbedder, public ::testing::WithParamInterface<const char*> {};

// int8 keeps 45 dB and fp16 60 in the marked pictures, as the limits demand; where the mark is louder than
// the card's (videoseal_0.0's random weights have no attenuation: 4 dB) by as much less.
TEST_P(EmbedderFixturesGolden, EveryRecipeMatches) {
  const auto checkpoint = fixture(std::string(GetParam()) + ".pth");
  for (const auto& [recipe, decibels] :
       {std::pair("float32", 80.0), {"fp16", 60.0}, {"int8", 45.0}, {"int4", 45.0}}) {
    VerifyOptions options = against(checkpoint);
    options.images = {fixture("coffee.png"), fixture("photos/astronaut.png")};
    const VerifyReport report = verify_model(embedder(checkpoint, recipe), options);
    EXPECT_EQ(report.verdict, Verdict::kMatches) << recipe << ": " << report.reason;
    EXPECT_EQ(report.part, "embedder");
    EXPECT_EQ(report.checks.size(), 10U);
    for (const Check& check : report.checks) EXPECT_EQ(check.outcome, CheckOutcome::kPass) << check.finding;
    EXPECT_EQ(figure(report, "loads", "delegated"), 100);
    EXPECT_GT(report.layers.size(), 40U);
    EXPECT_EQ(report.outputs.size(), 2U);
    ASSERT_EQ(report.marked.size(), 2U);
    EXPECT_EQ(report.marked[0].height, 400) << "in the size of the file";
    EXPECT_NE(report.marked[0].message, report.marked[1].message);
    double mark = 100;
    for (const MarkedPicture& each : report.marked) mark = std::min(mark, each.reference_against_picture);
    EXPECT_GE(figure(report, "checkpoint-pictures", kAgainstReference), decibels - std::max(0.0, 25 - mark))
        << recipe;
    // The mark itself is far larger than the error in it.
    EXPECT_LT(report.marked[0].reference_against_picture, report.marked[0].model_against_reference - 15);
  }
}

INSTANTIATE_TEST_SUITE_P(Cards, EmbedderFixturesGolden,
                         ::testing::Values("demo", "chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny",
                                           "videoseal_0.0_tiny"));

class EmbedderTensorsGolden : public VerifyEmbedder, public ::testing::WithParamInterface<const char*> {};

TEST_P(EmbedderTensorsGolden, SavedFromPyTorch) {
  VerifyOptions options = against("");
  options.reference = saved(GetParam(), "embedder_delta");
  const auto model = embedder(fixture(std::string(GetParam()) + ".pth"), "float32", 64);
  const VerifyReport report = verify_model(model, options);
  EXPECT_EQ(report.verdict, Verdict::kMatches) << report.reason;
  EXPECT_EQ(report.outputs.size(), 4U);
  EXPECT_EQ(report.marked.size(), 4U);
  EXPECT_GE(figure(report, "reference-pictures", kAgainstReference), 80);
  const auto bad = changed(model, [](tfl::ModelT& m) {
    negate_row(m, "embedder.unet.bottleneck.model.0.double_conv.3.weight", 3);
  });
  expect_caught(verify_model(bad, options), "reference-numbers", "Deltas differ");
}

INSTANTIATE_TEST_SUITE_P(Cards, EmbedderTensorsGolden,
                         ::testing::Values("demo", "chunkyseal_tiny", "pixelseal_tiny"));

TEST_F(VerifyEmbedder, SavedTensorsMustFit) {
  const auto model = embedder(demo());
  VerifyOptions options = against("");
  options.reference = saved("demo", "delta");
  EXPECT_EQ(verify_model(model, options).verdict, Verdict::kMatches);
  std::filesystem::copy_file(fixture("images_256.npy"), folder / "demo" / "delta.npy",
                             std::filesystem::copy_options::overwrite_existing);
  expect_error(ErrorCode::kMismatch, {"`delta`", "64, 64"}, [&] { verify_model(model, options); });
  std::filesystem::copy_file(fixture("chunkyseal_tiny.messages.npy"), folder / "demo" / "messages.npy",
                             std::filesystem::copy_options::overwrite_existing);
  expect_error(ErrorCode::kMismatch, {"`messages`", "[4, 32]"}, [&] { verify_model(model, options); });
  std::filesystem::remove(folder / "demo" / "messages.npy");
  expect_error(ErrorCode::kUsage, {"no array 'messages'"}, [&] { verify_model(model, options); });
}

TEST_F(VerifyEmbedder, WithoutAnOriginalItCannotTell) {
  const VerifyReport report = verify_model(embedder(demo()), against(""));
  EXPECT_EQ(report.verdict, Verdict::kCannotTell);
  EXPECT_NE(report.reason.find("--checkpoint"), std::string::npos) << report.reason;
  EXPECT_TRUE(report.marked.empty());
}

TEST_F(VerifyEmbedder, ChannelsLastMatchToo) {
  for (const char* checkpoint : {"demo.pth", "chunkyseal_tiny.pth"}) {
    ConvertOptions options;
    options.layout = ImageLayout::kNhwc;
    convert_embedder(fixture(checkpoint), folder / "nhwc.tflite", options);
    const VerifyReport report = verify_model(folder / "nhwc.tflite", against(fixture(checkpoint)));
    EXPECT_EQ(report.verdict, Verdict::kMatches) << report.reason;
    EXPECT_GT(report.layers.size(), 40U);
  }
}

TEST_F(VerifyEmbedder, CatchesANegatedRow) {
  for (const char* recipe : {"float32", "int8"}) {
    const auto bad = changed(embedder(demo(), recipe), [](tfl::ModelT& m) {
      negate_row(m, kEmbedderLayer + std::string(".weight"), 3);
    });
    const VerifyReport report = verify_model(bad, against(demo()));
    expect_caught(report, "weights", kEmbedderLayer + std::string(".weight', row 3"));
    EXPECT_EQ(report.weights.at(0).row, 3);
    if (std::string(recipe) == "float32")
      expect_caught(report, "layers",
                    "is 'embedder.unet.bottleneck.model.1.double_conv.2' with");  // its ReLU
  }
}

TEST_F(VerifyEmbedder, CatchesTwoSwappedTensors) {
  const auto bad = changed(embedder(demo()), [](tfl::ModelT& m) {
    std::swap(tensor_called(m, kEmbedderLayer + std::string(".weight")).buffer,
              tensor_called(m, kEmbedderTwin + std::string(".weight")).buffer);
  });
  const VerifyReport report = verify_model(bad, against(demo()));
  expect_caught(report, "checkpoint-numbers", "Deltas differ");
  expect_caught(report, "checkpoint-pictures", "worst case PSNR");
  expect_caught(report, "weights", "2 of ");
}

TEST_F(VerifyEmbedder, CatchesAFileThatWasCut) {
  const std::string bytes = read_text(embedder(demo()));
  write_text(folder / "cut.tflite", bytes.substr(0, bytes.size() / 2));
  expect_caught(verify_model(folder / "cut.tflite", against(demo())), "loads", "cut off");
}

TEST_F(VerifyEmbedder, CatchesAMessageThatIsIgnored) {
  const auto bad = changed(embedder(demo()), [](tfl::ModelT& m) {
    for (const auto& op : m.subgraphs.at(0)->operators) {
      if (m.operator_codes.at(op->opcode_index)->builtin_code != tfl::BuiltinOperator::FULLY_CONNECTED)
        continue;
      const auto weight = static_cast<std::size_t>(op->inputs.at(1));
      std::ranges::fill(m.buffers.at(m.subgraphs[0]->tensors.at(weight)->buffer)->data, std::uint8_t{0});
    }
  });
  // Even where nothing says what it should compute.
  expect_caught(verify_model(bad, against("")), "plausible", "does not look at its message");
}

TEST_F(VerifyEmbedder, CatchesValuesThatAreNoNumbers) {
  const auto bad = changed(embedder(demo()), [](tfl::ModelT& m) {
    std::vector<std::uint8_t>& data =
        m.buffers.at(tensor_called(m, kEmbedderLayer + std::string(".weight")).buffer)->data;
    std::ranges::fill(std::span(data).first(4), std::uint8_t{0xFF});
  });
  const VerifyReport report = verify_model(bad, against(demo()));
  EXPECT_EQ(report.verdict, Verdict::kFails);
  EXPECT_GT(figure(report, "plausible", "values that are no numbers"), 0);
  expect_caught(report, "checkpoint-pictures", "no numbers");
}

TEST_F(VerifyEmbedder, CatchesAnotherCheckpoint) {
  const VerifyReport report = verify_model(embedder(demo()), against(other_checkpoint()));
  expect_caught(report, "interface", "converted from another checkpoint");
  expect_caught(report, "checkpoint-numbers", "Deltas differ");
  // Another architecture altogether, with as many bits.
  expect_caught(verify_model(folder / "good.tflite", against(fixture("pixelseal_tiny.pth"))), "interface",
                "converted from another checkpoint");
  // One without an embedder is no verdict.
  const auto chunky = embedder(fixture("chunkyseal_tiny.pth"));
  expect_error(ErrorCode::kMismatch, {"no embedder"},
               [&] { verify_model(chunky, against(fixture("chunkyseal_tiny_detector_only.pth"))); });
}

TEST_F(VerifyEmbedder, CatchesMetadataOfTheOtherPart) {
  const std::string detector = model_file::read_model(convert(demo())).metadata.at("sealite");
  const auto bad = changed(embedder(demo()), [&](tfl::ModelT& m) {
    for (const auto& entry : m.metadata) {
      if (entry->name == "sealite")
        m.buffers.at(entry->buffer)->data.assign(detector.begin(), detector.end());
    }
  });
  const VerifyReport report = verify_model(bad, against(demo()));
  expect_caught(report, "interface", "the metadata says that it is 'detector'");
  expect_caught(report, "interface", "how the delta is added");
  EXPECT_EQ(check_called(report, "checkpoint-pictures").outcome, CheckOutcome::kSkipped);
}

TEST_F(VerifyEmbedder, CatchesAStrengthThatIsNotTheCards) {
  std::string card = read_text(fixture("demo.card.yaml"));
  ConvertOptions options;
  options.card = fixture("demo.card.yaml").string();
  convert_embedder(demo(), folder / "good.tflite", options);
  VerifyOptions verify = against(demo());
  verify.card = options.card;
  EXPECT_EQ(verify_model(folder / "good.tflite", verify).verdict, Verdict::kMatches);
  const std::string strength = "scaling_w: 1.4";
  write_text(folder / "weak.yaml", card.replace(card.find(strength), strength.size(), "scaling_w: 0.2"));
  verify.card = (folder / "weak.yaml").string();
  expect_caught(verify_model(folder / "good.tflite", verify), "interface",
                "scaling_w 1.4, scaling_i 1, the card attenuation jnd_1_1, scaling_w 0.2");
}

// The network with something before its inputs.
class Wrapped : public model::EmbedderNetwork {
 public:
  Wrapped(const model::Card& card, bool image) : network_(model::make_embedder(card)), image_(image) {}
  std::vector<model::Parameter> saved_parameters() const override { return network_->saved_parameters(); }
  std::int64_t bits() const override { return network_->bits(); }
  graph::ValueId build(const model::Weights& weights, graph::Builder& builder, graph::ValueId image,
                       graph::ValueId message) const override {
    const graph::ValueId doubled =
        builder.binary("wrapper.double", graph::BinaryKind::kMul, image_ ? image : message,
                       builder.constant("wrapper.two", {}, {2.0F}));
    const graph::ValueId normal = builder.binary("wrapper", graph::BinaryKind::kSub, doubled,
                                                 builder.constant("wrapper.one", {}, {1.0F}));
    return network_->build(weights, builder, image_ ? normal : image, image_ ? message : normal);
  }

 private:
  std::unique_ptr<model::EmbedderNetwork> network_;
  bool image_;
};

TEST_F(VerifyEmbedder, NamesADoubleNormalisation) {
  const auto file = std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(demo()));
  const auto write = [&](bool image) {
    const Wrapped network(model::derive_card(*file), image);
    graph::Graph graph =
        model::build_embedder_graph(network, model::Weights(file), {ImageLayout::kNchw, 1, 64, 64});
    passes::run_pipeline(graph, {});
    tflite::WriteOptions options;
    options.signature = "embed";
    options.output_names = {"delta"};
    options.metadata = {{"sealite", model_file::read_model(embedder(demo())).metadata.at("sealite")}};
    tflite::write(graph, folder / "twice.tflite", options);
    return folder / "twice.tflite";
  };
  expect_caught(verify_model(write(true), against(demo())), "checkpoint-pictures",
                "normalises its input twice");
  expect_caught(verify_model(write(false), against(demo())), "checkpoint-pictures", "normalises its message");
}

}  // namespace
}  // namespace sealite
