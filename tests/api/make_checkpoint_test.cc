#include "sealite/make_checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>

#include "api/converted_detector.h"
#include "expect_error.h"

namespace sealite {
namespace {

// pixelseal in small.
constexpr const char* kSmallCard =
    "args: {attenuation: jnd_1_1, nbits: 16, hidden_size_multiplier: 1, img_size_proc: 64, scaling_w: 0.25}\n"
    "embedder:\n"
    "  model: unet_small2_yuv_quant\n"
    "  params: {unet: {in_channels: 1, out_channels: 1, z_channels: 4, num_blocks: 2, z_channels_mults: [1, "
    "2, 4]}}\n"
    "extractor:\n"
    "  model: convnext_tiny\n"
    "  params: {encoder: {depths: [1, 1, 1, 1], dims: [8, 12, 16, 24]}}\n";

class MakeCheckpoint : public ::testing::Test {
 protected:
  MakeCheckpoint() {
    write_text(folder / "small.yaml", kSmallCard);
    options.card = (folder / "small.yaml").string();
  }
  const ScratchFolder folder;
  MakeCheckpointOptions options;
};

TEST_F(MakeCheckpoint, FitsItsCard) {
  const MakeCheckpointReport report = make_checkpoint(folder / "a.pth", options);
  EXPECT_EQ(report.bytes, std::filesystem::file_size(folder / "a.pth"));
  const auto file = checkpoint::Checkpoint::open(folder / "a.pth");
  EXPECT_EQ(file.tensors().size(), report.tensors);
  const model::Card card = model::load_card(options.card);
  check_parameters(file, model::make_detector(card)->parameters(), "small");
  check_parameters(file, model::make_embedder(card)->saved_parameters(), "small");
  EXPECT_EQ(file.args().at("nbits"), "16");
  EXPECT_EQ(file.args().at("extractor_model"), "convnext_tiny");
  const auto* shared = file.find("embedder.msg_processor.msg_embeddings.weight");
  ASSERT_NE(shared, nullptr);
  EXPECT_EQ(shared->storage, file.find("embedder.unet.msg_processor.msg_embeddings.weight")->storage);
  const model::Card derived = model::derive_card(file);
  EXPECT_EQ(derived.bits, 16);
  EXPECT_EQ(derived.image_size, 64);
  EXPECT_EQ(model::make_detector(derived)->parameters().size(),
            model::make_detector(card)->parameters().size());
  EXPECT_DOUBLE_EQ(derived.scaling_w, 0.25);
}

TEST_F(MakeCheckpoint, TheSeedDecides) {
  make_checkpoint(folder / "a.pth", options);
  std::filesystem::create_directory(folder / "again");
  make_checkpoint(folder / "again/a.pth", options);
  EXPECT_EQ(read_text(folder / "a.pth"), read_text(folder / "again/a.pth"));
  options.seed = 1;
  make_checkpoint(folder / "again/a.pth", options);
  EXPECT_NE(read_text(folder / "a.pth"), read_text(folder / "again/a.pth"));
}

TEST_F(MakeCheckpoint, ConvertsAndReads) {
  make_checkpoint(folder / "a.pth", options);
  const ConvertReport report = convert_detector(folder / "a.pth", folder / "a.tflite");
  EXPECT_TRUE(report.non_finite.empty());
  Detector detector = load_detector(folder / "a.tflite");
  EXPECT_EQ(detector.bits(), 16U);
  EXPECT_EQ(detector.image_size(), 64);
  // Well scaled: neither silent nor exploding.
  double square = 0;
  for (const float logit : detect_file(detector, fixture("coffee.png")).logits)
    square += static_cast<double>(logit) * static_cast<double>(logit) / 17;
  EXPECT_GT(std::sqrt(square), 0.05);
  EXPECT_LT(std::sqrt(square), 20);
}

TEST_F(MakeCheckpoint, DetectorOnly) {
  options.detector_only = true;
  const MakeCheckpointReport report = make_checkpoint(folder / "a.pth", options);
  const auto file = checkpoint::Checkpoint::open(folder / "a.pth");
  EXPECT_EQ(file.tensors().size(), report.tensors);
  for (const auto& [name, tensor] : file.tensors()) EXPECT_TRUE(name.starts_with("detector.")) << name;
  EXPECT_EQ(convert_detector(folder / "a.pth", folder / "a.tflite").parameters, report.parameters);
}

TEST_F(MakeCheckpoint, WrongCards) {
  write_text(folder / "part.yaml", "args: {nbits: 16}\nextractor: {model: convnext_tiny}\n");
  options.card = (folder / "part.yaml").string();
  expect_error(ErrorCode::kUsage, {"no embedder", "detector"},
               [&] { make_checkpoint(folder / "a.pth", options); });
  options.card = "nothing";
  expect_error(ErrorCode::kNotFound, {"'nothing'"}, [&] { make_checkpoint(folder / "a.pth", options); });
  write_text(folder / "dino.yaml", "args: {nbits: 16}\nembedder: {model: unet}\nextractor: {model: dino2}\n");
  options.card = (folder / "dino.yaml").string();
  expect_error(ErrorCode::kUnsupported, {"'dino2'", "ViT"},
               [&] { make_checkpoint(folder / "a.pth", options); });
  EXPECT_FALSE(std::filesystem::exists(folder / "a.pth"));
  options.card = (folder / "small.yaml").string();
  expect_error(ErrorCode::kIo, {}, [&] { make_checkpoint(folder / "no/a.pth", options); });
}

TEST(Version, HasThreeParts) {
  EXPECT_EQ(std::ranges::count(version(), '.'), 2);
}

}  // namespace
}  // namespace sealite
