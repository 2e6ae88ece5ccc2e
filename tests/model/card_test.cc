#include "model/card.h"

#include <gtest/gtest.h>

#include <cctype>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "fixture_files.h"
#include "model/convnext.h"
#include "model/embedded_cards.h"
#include "model/unet.h"
#include "model/vit.h"

namespace sealite::model {
namespace {

using Dims = std::vector<std::int64_t>;

const ConvNextCard& convnext(const Card& card) {
  return std::any_cast<const ConvNextCard&>(card.detector.encoder);
}

const UNetCard& unet(const Card& card) {
  return std::any_cast<const UNetCard&>(card.embedder.network);
}

Card parse(const std::string& yaml) {
  return parse_card("test", yaml);
}

TEST(Card, HasTheReferencesShortName) {
  EXPECT_EQ(load_card("videoseal").name, "videoseal_1.0");
  EXPECT_EQ(attenuation_name("null"), "none");
}

TEST(Card, CompiledInCards) {
  EXPECT_EQ(card_names(),
            (std::vector<std::string>{"chunkyseal", "pixelseal", "videoseal_0.0", "videoseal_1.0"}));
  for (const std::string& name : card_names()) EXPECT_EQ(load_card(name).name, name);

  const Card chunky = load_card("chunkyseal");
  EXPECT_EQ(chunky.bits, 1024);
  EXPECT_EQ(chunky.image_size, 256);
  EXPECT_EQ(chunky.hidden_size, 2048);
  EXPECT_EQ(chunky.attenuation, "jnd_1_1");
  EXPECT_DOUBLE_EQ(chunky.scaling_w, 0.2);
  EXPECT_DOUBLE_EQ(chunky.scaling_i, 1.0);
  EXPECT_EQ(chunky.detector.model, "convnext_chunky");
  EXPECT_EQ(convnext(chunky).depths, (Dims{3, 3, 27, 3}));
  EXPECT_EQ(convnext(chunky).dims, (Dims{362, 724, 1448, 2896}));
  EXPECT_EQ(convnext(chunky).stem_stride, 2);
  EXPECT_EQ(chunky.detector.pixel_decoder.upscale_stages, Dims{1});
  EXPECT_TRUE(chunky.embedder.present);
  EXPECT_EQ(unet(chunky).in_channels, 3);
  EXPECT_EQ(unet(chunky).z_channels_mults, (Dims{4, 8, 16, 32}));
  EXPECT_EQ(unet(chunky).num_blocks, 8);

  const Card pixel = load_card("pixelseal");
  EXPECT_EQ(pixel.bits, 256);
  EXPECT_EQ(pixel.hidden_size, 256);
  EXPECT_EQ(convnext(pixel).dims, (Dims{96, 192, 384, 768}));
  EXPECT_EQ(convnext(pixel).depths, (Dims{3, 3, 9, 3}));
  EXPECT_EQ(convnext(pixel).stem_stride, 4);
  EXPECT_EQ(pixel.embedder.model, "unet_base_yuv_quant");
  EXPECT_EQ(unet(pixel).out_channels, 1);
  EXPECT_EQ(unet(load_card("videoseal_1.0")).z_channels_mults, (Dims{1, 2, 4, 8}));
}

TEST(Card, CardsOfTheFixtures) {
  const Card chunky = load_card(fixture("chunkyseal_tiny.card.yaml"));
  EXPECT_EQ(chunky.name, "chunkyseal_tiny");
  EXPECT_EQ(chunky.bits, 64);
  EXPECT_EQ(chunky.hidden_size, 128);
  EXPECT_EQ(convnext(chunky).dims, (Dims{11, 22, 45, 90}));  // int(dim * sqrt(64 / 128))
  const Card demo = load_card(fixture("demo.card.yaml"));
  EXPECT_EQ(demo.image_size, 64);
  EXPECT_DOUBLE_EQ(demo.scaling_w, 1.4);
  EXPECT_EQ(convnext(demo).stem_stride, 4);  // the default
  const Card sam = load_card(fixture("videoseal_0.0_tiny.card.yaml"));
  EXPECT_EQ(sam.detector.model, "sam_small");
  const auto& vit = std::any_cast<const VitCard&>(sam.detector.encoder);
  EXPECT_EQ(vit.embed_dim, 48);
  EXPECT_EQ(vit.depth, 4);
  EXPECT_EQ(vit.num_heads, 3);
  EXPECT_EQ(vit.grid, 16);
  EXPECT_EQ(vit.mlp_dim, 192);
  EXPECT_EQ(vit.window(0), 8);
  EXPECT_EQ(vit.window(1), 16);
  EXPECT_TRUE(vit.use_rel_pos);
  EXPECT_EQ(unet(sam).activation, "silu");
  EXPECT_EQ(unet(sam).normalization, "rms");
  EXPECT_EQ(load_card(fixture("pixelseal_tiny.card.yaml")).bits, 32);
  EXPECT_EQ(load_card(fixture("videoseal_1.0_tiny.card.yaml")).bits, 24);
}

TEST(Card, Defaults) {
  const Card card = parse("args: {nbits: 10}\nextractor: {model: convnext_tiny}\n");
  EXPECT_EQ(card.name, "test");
  EXPECT_EQ(card.image_size, 256);
  EXPECT_EQ(card.hidden_size, 20);
  EXPECT_EQ(card.attenuation, "none");
  EXPECT_DOUBLE_EQ(card.scaling_w, 1.0);
  EXPECT_EQ(convnext(card).stem_stride, 4);
  EXPECT_FALSE(card.embedder.present);
  EXPECT_FALSE(card.detector.pixel_decoder.pixelwise);
  EXPECT_FALSE(card.detector.pixel_decoder.sigmoid_output);
  EXPECT_EQ(card.detector.pixel_decoder.upscale_type, UpscaleType::kBilinear);
}

TEST(Card, ImageSizeHasTwoNames) {
  EXPECT_EQ(parse("args: {nbits: 8, img_size_extractor: 128}\nextractor: {model: x}").image_size, 128);
  EXPECT_EQ(
      parse("args: {nbits: 8, img_size_extractor: 128, img_size_proc: 64}\nextractor: {model: x}").image_size,
      64);
}

TEST(Card, HiddenSizeIsCutToAnInteger) {
  EXPECT_EQ(parse("args: {nbits: 15, hidden_size_multiplier: 1.5}\nextractor: {model: x}").hidden_size, 22);
}

TEST(Card, PixelDecoders) {
  const auto decoder = [](const std::string& text) {
    return parse("args: {nbits: 8}\nextractor: {model: x, params: {pixel_decoder: {" + text + "}}}")
        .detector.pixel_decoder;
  };
  EXPECT_EQ(decoder("upscale_type: bilinear").upscale_type, UpscaleType::kBilinear);
  EXPECT_EQ(decoder("upscale_type: nearest").upscale_type, UpscaleType::kNearest);
  EXPECT_EQ(decoder("upscale_type: conv").upscale_type, UpscaleType::kConv);
  EXPECT_EQ(decoder("upscale_type: pixelshuffle").upscale_type, UpscaleType::kPixelShuffle);
  EXPECT_TRUE(decoder("pixelwise: true").pixelwise);
  EXPECT_TRUE(decoder("sigmoid_output: yes").sigmoid_output);
  EXPECT_EQ(decoder("upscale_stages: [4, 2, 2]").upscale_stages, (Dims{4, 2, 2}));
  expect_error(ErrorCode::kUnsupported, {"card 'test'", "upscale_type 'bicubic'", "pixelshuffle"},
               [&] { decoder("upscale_type: bicubic"); });
  expect_error(ErrorCode::kMalformed, {"upscale_stages", "0 entries"},
               [&] { decoder("upscale_stages: []"); });
}

struct BrokenCard {
  const char* says;
  std::string yaml;
};

void PrintTo(const BrokenCard& card, std::ostream* out) {
  // Letters and digits alone: CMake lists the names.
  for (const char c : card.yaml)
    *out << (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_');
}

class BrokenCards : public ::testing::TestWithParam<BrokenCard> {};

TEST_P(BrokenCards, AreMalformed) {
  expect_error(ErrorCode::kMalformed, {"card 'test'", GetParam().says}, [] { parse(GetParam().yaml); });
}

const std::string kExtractor = "\nextractor: {model: x}";

INSTANTIATE_TEST_SUITE_P(
    Texts, BrokenCards,
    ::testing::Values(
        BrokenCard{"not valid YAML", "args: [1"}, BrokenCard{"not valid YAML", "args: {nbits: *nobody}"},
        BrokenCard{"the text is not a mapping", std::string("\0\1\2", 3)}, BrokenCard{"no model card", ""},
        BrokenCard{"the text is not a mapping", "just text"},
        BrokenCard{"the text is not a mapping", "[1, 2]"}, BrokenCard{"no model card", "args: {nbits: 8}"},
        BrokenCard{"no model card", "extractor: {model: x}"},
        BrokenCard{"'args' is not a mapping", "args: 3" + kExtractor},
        BrokenCard{"'args.nbits' is 0", "args: {scaling_w: 1}" + kExtractor},
        BrokenCard{"'args.nbits' is 0", "args: {nbits: 0}" + kExtractor},
        BrokenCard{"'args.nbits' is -8", "args: {nbits: -8}" + kExtractor},
        BrokenCard{"'args.nbits' is 1048577", "args: {nbits: 1048577}" + kExtractor},
        BrokenCard{"'args.nbits' is not of", "args: {nbits: many}" + kExtractor},
        BrokenCard{"'args.nbits' is not of", "args: {nbits: 1.5}" + kExtractor},
        BrokenCard{"'args.nbits' is not of", "args: {nbits: 99999999999999999999}" + kExtractor},
        BrokenCard{"'args.nbits' is not of", "args: {nbits: [8]}" + kExtractor},
        BrokenCard{"'args.img_size_proc' is 0", "args: {nbits: 8, img_size_proc: 0}" + kExtractor},
        BrokenCard{"'args.scaling_w' is not of", "args: {nbits: 8, scaling_w: strong}" + kExtractor},
        BrokenCard{"hidden_size_multiplier", "args: {nbits: 8, hidden_size_multiplier: -1}" + kExtractor},
        BrokenCard{"hidden_size_multiplier", "args: {nbits: 8, hidden_size_multiplier: .nan}" + kExtractor},
        BrokenCard{"hidden_size_multiplier", "args: {nbits: 8, hidden_size_multiplier: 1e30}" + kExtractor},
        BrokenCard{"'extractor.model' is not of", "args: {nbits: 8}\nextractor: {model: [x]}"},
        BrokenCard{"'extractor.params' is not a mapping",
                   "args: {nbits: 8}\nextractor: {model: x, params: 3}"},
        BrokenCard{"encoder.depths' is not of",
                   "args: {nbits: 8}\nextractor: {model: convnext_tiny, params: {encoder: {depths: 3}}}"},
        BrokenCard{"encoder.depths' has 0",
                   "args: {nbits: 8}\nextractor: {model: convnext_tiny, params: {encoder: {depths: []}}}"},
        BrokenCard{
            "encoder.depths' is 4097",
            "args: {nbits: 8}\nextractor: {model: convnext_tiny, params: {encoder: {depths: [4000, 97]}}}"},
        BrokenCard{"encoder.depths' is 0",
                   "args: {nbits: 8}\nextractor: {model: convnext_tiny, params: {encoder: {depths: [0]}}}"},
        BrokenCard{"'depths' has 4 stages, 'dims' 2",
                   "args: {nbits: 8}\nextractor: {model: convnext_tiny, params: {encoder: {dims: [8, 9]}}}"},
        BrokenCard{
            "stem_stride' is 0",
            "args: {nbits: 8}\nextractor: {model: convnext_tiny, params: {encoder: {stem_stride: 0}}}"},
        BrokenCard{"without channels",
                   "args: {nbits: 1}\nextractor: {model: convnext_tiny, params: {proportional_dim: true, "
                   "encoder: {dims: [1, 1, 1, 1]}}}"},
        BrokenCard{"z_channels' is 0", "args: {nbits: 8}" + kExtractor +
                                           "\nembedder: {model: unet_x, params: {unet: {z_channels: 0}}}"},
        BrokenCard{
            "pixelwise' is not of",
            "args: {nbits: 8}\nextractor: {model: convnext_tiny, params: {pixel_decoder: {pixelwise: 7}}}"}));

TEST(Card, TooLargeToBeOne) {
  expect_error(ErrorCode::kMalformed, {"2000000 bytes"}, [] { parse(std::string(2'000'000, ' ')); });
}

TEST(Card, DeepNestingIsAnError) {
  EXPECT_THROW(parse(std::string(500'000, '[')), Error);
  EXPECT_THROW(parse(std::string(500'000, '{')), Error);
  std::string dashes;
  for (int i = 0; i < 300'000; ++i) dashes += "- ";
  EXPECT_THROW(parse(dashes), Error);
}

TEST(Card, TooLongListsAreRefused) {
  std::string depths = "1";
  for (int i = 0; i < 64; ++i) depths += ",1";
  expect_error(ErrorCode::kMalformed, {"depths", "65 entries"}, [&] {
    parse("args: {nbits: 8}\nextractor: {model: convnext_tiny, params: {encoder: {depths: [" + depths +
          "]}}}");
  });
}

TEST(Card, SelfReferenceEnds) {
  EXPECT_THROW(parse("&a {args: *a, extractor: *a}"), Error);
}

TEST(Card, LoadsFiles) {
  const ScratchFolder folder;
  write_text(folder / "mine.card.yaml", "args: {nbits: 12}\nextractor: {model: convnext_tiny}\n");
  EXPECT_EQ(load_card((folder / "mine.card.yaml").string()).name, "mine");
  write_text(folder / "other.yaml", "args: {nbits: 12}\nextractor: {model: convnext_tiny}\n");
  EXPECT_EQ(load_card((folder / "other.yaml").string()).name, "other");
  expect_error(ErrorCode::kNotFound, {"'nosuchcard'", "chunkyseal, pixelseal, videoseal_0.0"},
               [] { load_card("nosuchcard"); });
  EXPECT_THROW(load_card(folder.path().string()), Error);
  write_text(folder / "empty.yaml", "");
  EXPECT_THROW(load_card((folder / "empty.yaml").string()), Error);
  expect_error(ErrorCode::kMalformed, {"demo"}, [] { load_card(fixture("demo.pth").string()); });
}

}  // namespace
}  // namespace sealite::model
