#include "model/derive_card.h"

#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "fixture_files.h"
#include "model/convnext.h"
#include "model/network.h"
#include "model/small_checkpoint.h"

namespace sealite::model {
namespace {

template <typename Network>
void expect_same_tensors(const Network& found_network, const Network& wanted_network) {
  const auto wanted = wanted_network.parameters();
  const auto found = found_network.parameters();
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(found[i].name, wanted[i].name);
    EXPECT_EQ(found[i].shape, wanted[i].shape);
  }
}

std::int64_t stem_stride(const Card& card) {
  return std::any_cast<const ConvNextCard&>(card.detector.encoder).stem_stride;
}

class DeriveCard : public ::testing::TestWithParam<const char*> {};

TEST_P(DeriveCard, SaysWhatTheCardSays) {
  const std::string name = GetParam();
  const Card derived = derive_card(checkpoint::Checkpoint::open(fixture(name + ".pth")));
  const bool only = name == "chunkyseal_tiny_detector_only";
  const Card card = load_card(fixture((only ? "chunkyseal_tiny" : name) + ".card.yaml"));
  EXPECT_EQ(derived.name, name);
  EXPECT_EQ(derived.bits, card.bits);
  EXPECT_EQ(derived.image_size, card.image_size);
  EXPECT_EQ(derived.attenuation, card.attenuation);
  EXPECT_DOUBLE_EQ(derived.scaling_w, card.scaling_w);
  EXPECT_DOUBLE_EQ(derived.scaling_i, card.scaling_i);
  EXPECT_EQ(derived.detector.model, card.detector.model);
  expect_same_tensors(*make_detector(derived), *make_detector(card));
  EXPECT_EQ(make_detector(derived)->reads_any_size(), make_detector(card)->reads_any_size());
  EXPECT_EQ(derived.detector.pixel_decoder.upscale_stages, card.detector.pixel_decoder.upscale_stages);
  EXPECT_EQ(derived.detector.pixel_decoder.pixelwise, card.detector.pixel_decoder.pixelwise);
  EXPECT_EQ(derived.embedder.present, !only);
  if (only) return;
  // Channels and multiples of them may be told apart differently; the tensors are the same.
  expect_same_tensors(*make_embedder(derived), *make_embedder(card));
  EXPECT_EQ(make_embedder(derived)->reads_luma(), make_embedder(card)->reads_luma());
}

INSTANTIATE_TEST_SUITE_P(Fixtures, DeriveCard,
                         ::testing::Values("chunkyseal_tiny", "chunkyseal_tiny_detector_only",
                                           "pixelseal_tiny", "videoseal_1.0_tiny", "videoseal_0.0_tiny",
                                           "demo"));

TEST(DeriveCardErrors, AnotherArchitectureIsSentToItsCard) {
  const ScratchFolder folder;
  write_checkpoint(folder / "other.pth", random_tensors({{"detector.resnet.weight", {4, 4}, 0, 1}}), "");
  expect_error(ErrorCode::kMismatch, {"other.pth'", "no detector of a kind", "--card"},
               [&] { derive_card(checkpoint::Checkpoint::open(folder / "other.pth")); });
}

TEST(DeriveCardEmbedder, FromAFileWithoutADetector) {
  const Card card = load_card(fixture("pixelseal_tiny.card.yaml"));
  const ScratchFolder folder;
  write_checkpoint(folder / "half.pth", random_tensors(make_embedder(card)->parameters()),
                   "embedder_model: unet_base_yuv_quant\nimg_size_proc: 256\n");
  const Card derived = derive_card(checkpoint::Checkpoint::open(folder / "half.pth"));
  EXPECT_EQ(derived.bits, card.bits);
  EXPECT_EQ(make_embedder(derived)->bits(), card.bits);
  expect_error(ErrorCode::kMismatch, {"'half' has no detector"}, [&] { make_detector(derived); });
}

// The tensors tell that it is a U-Net, nothing tells its activation.
TEST(DeriveCardEmbedder, FromAFileThatDoesNotNameIt) {
  const Card card = load_card(fixture("pixelseal_tiny.card.yaml"));
  const ScratchFolder folder;
  for (const char* args : {"", "embedder_model: vae_small\n"}) {
    write_checkpoint(folder / "half.pth", random_tensors(make_embedder(card)->parameters()), args);
    const Card derived = derive_card(checkpoint::Checkpoint::open(folder / "half.pth"));
    expect_error(ErrorCode::kMismatch, {"'half'", "embedder's activation", "--card"},
                 [&] { make_embedder(derived); });
  }
}

// A small network's checkpoint on disk, to be read without its card.
class SmallFile {
 public:
  explicit SmallFile(const std::string& decoder) {
    card_ = parse_card("small",
                       "args: {nbits: 6}\nextractor: {model: convnext_tiny, params: {encoder: {depths: "
                       "[1, 2, 1, 1], dims: [4, 4, 8, 16]}, pixel_decoder: {" +
                           decoder + "}}}");
    tensors = random_tensors(make_detector(card_)->parameters());
  }
  Card derive(const std::string& args) const {
    write_checkpoint(folder_ / "small.pth", tensors, args);
    return derive_card(checkpoint::Checkpoint::open(folder_ / "small.pth"));
  }
  const Card& card() const { return card_; }
  const PixelDecoderCard& decoder() const { return card_.detector.pixel_decoder; }

  std::vector<SmallTensor> tensors;

 private:
  Card card_;
  ScratchFolder folder_;
};

TEST(DeriveCardDecoders, FromTheTensors) {
  for (const char* text : {"upscale_stages: [2, 2]", "upscale_type: conv, upscale_stages: [2]",
                           "upscale_type: conv, upscale_stages: [1], pixelwise: true",
                           "upscale_type: pixelshuffle, upscale_stages: [2, 1, 4]",
                           "upscale_type: pixelshuffle, upscale_stages: [1]"}) {
    const SmallFile file(text);
    const Card derived = file.derive("extractor_model: convnext_tiny\n");
    EXPECT_EQ(derived.bits, 6) << text;
    expect_same_tensors(*make_detector(derived), *make_detector(file.card()));
    EXPECT_EQ(derived.detector.pixel_decoder.upscale_type, file.decoder().upscale_type) << text;
    EXPECT_EQ(derived.detector.pixel_decoder.upscale_stages, file.decoder().upscale_stages) << text;
    EXPECT_EQ(derived.detector.pixel_decoder.pixelwise, file.decoder().pixelwise) << text;
  }
}

TEST(DeriveCardErrors, WhatTheFileDoesNotTell) {
  const SmallFile file("upscale_stages: [1]");
  expect_error(ErrorCode::kMismatch, {"stem strides", "--card", "chunkyseal"}, [&] { file.derive(""); });
  expect_error(ErrorCode::kMismatch, {"'convnext_odd'"},
               [&] { file.derive("extractor_model: convnext_odd\n"); });
  EXPECT_EQ(stem_stride(file.derive("extractor_model: convnext_chunky\n")), 2);
  EXPECT_EQ(stem_stride(file.derive("extractor_model: convnext_sweep_3_prop_stride2\n")), 2);
  EXPECT_EQ(file.derive("extractor_model: convnext_base\nimg_size_extractor: 128\n").image_size, 128);
}

TEST(DeriveCardErrors, BadArgs) {
  const SmallFile file("upscale_stages: [1]");
  const std::string model = "extractor_model: convnext_tiny\n";
  expect_error(ErrorCode::kMalformed, {"scaling_w", "strong"},
               [&] { file.derive(model + "scaling_w: strong\n"); });
  for (const char* size : {"0", "-5", "100000", "1e99", ".nan", "nan", "inf"}) {
    EXPECT_THROW(file.derive(model + "img_size_proc: " + size + "\n"), Error) << size;
  }
}

TEST(DeriveCardErrors, MissingPieces) {
  SmallFile file("upscale_stages: [1]");
  std::erase_if(file.tensors,
                [](const SmallTensor& t) { return t.name.find("stages.2") != std::string::npos; });
  expect_error(ErrorCode::kMismatch, {"stage 2", "no blocks"}, [&] { file.derive(""); });
  SmallFile headless("upscale_stages: [1]");
  std::erase_if(headless.tensors,
                [](const SmallTensor& t) { return t.name.find("linear") != std::string::npos; });
  expect_error(ErrorCode::kMismatch, {"pixel_decoder.linear.weight"},
               [&] { headless.derive("extractor_model: convnext_tiny\n"); });
}

// Shapes that contradict each other must not lead to a division by zero or a loop.
TEST(DeriveCardErrors, HostileShapes) {
  SmallFile file("upscale_stages: [1]");
  for (SmallTensor& tensor : file.tensors) {
    if (tensor.name.find("upsample_block.2") == std::string::npos) continue;
    tensor.shape = {0, 16, 3, 3};
    tensor.values.clear();
  }
  EXPECT_THROW(file.derive("extractor_model: convnext_tiny\n"), Error);
  SmallFile shuffled("upscale_type: pixelshuffle, upscale_stages: [2]");
  for (SmallTensor& tensor : shuffled.tensors) {
    if (tensor.name.find("upsample_block.0.weight") == std::string::npos) continue;
    tensor.shape = {1, 1, 1, 1};
    tensor.values = {1};
  }
  EXPECT_NO_THROW({
    try {
      shuffled.derive("extractor_model: convnext_tiny\n");
    } catch (const Error&) {
    }
  });
}

}  // namespace
}  // namespace sealite::model
