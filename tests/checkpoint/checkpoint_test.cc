#include "checkpoint/checkpoint.h"

#include <cmath>

#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

struct Fixture {
  std::string name;
  std::size_t tensors;
  std::string nbits;
  std::string tensor;
  Shape shape;
};

std::ostream& operator<<(std::ostream& out, const Fixture& fixture) {
  return out << fixture.name;
}

class Fixtures : public ::testing::TestWithParam<Fixture> {};

TEST_P(Fixtures, OpensWithRightShapes) {
  const auto path = fixture(GetParam().name);
  const Checkpoint checkpoint = Checkpoint::open(path);
  EXPECT_EQ(checkpoint.format(), "torch");
  EXPECT_EQ(checkpoint.path(), path);
  EXPECT_EQ(checkpoint.file_bytes(), std::filesystem::file_size(path));
  EXPECT_EQ(checkpoint.tensors().size(), GetParam().tensors);
  const TensorView* tensor = checkpoint.find(GetParam().tensor);
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->shape, GetParam().shape);
  EXPECT_TRUE(tensor->contiguous());
  EXPECT_EQ(tensor->bytes.size(), *element_count(tensor->shape) * 4);
  EXPECT_EQ(checkpoint.find("no such tensor"), nullptr);
  const auto nbits = checkpoint.args().find("nbits");
  ASSERT_NE(nbits, checkpoint.args().end());
  EXPECT_EQ(nbits->second, GetParam().nbits);
  for (const auto& [name, view] : checkpoint.tensors()) {
    std::vector<float> values(*element_count(view.shape));
    read_rows(view, 0, view.shape.empty() ? 1 : view.shape[0], values);
    for (const float value : values) ASSERT_TRUE(std::isfinite(value)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Fixtures,
    ::testing::Values(Fixture{"chunkyseal_tiny.pth", 216, "64",
                              "detector.convnext.downsample_layers.0.0.weight", Shape{11, 3, 4, 4}},
                      Fixture{"pixelseal_tiny.pth", 246, "32",
                              "detector.convnext.downsample_layers.0.0.weight", Shape{24, 3, 4, 4}},
                      Fixture{"videoseal_1.0_tiny.pth", 216, "24",
                              "detector.convnext.downsample_layers.0.0.weight", Shape{20, 3, 4, 4}},
                      Fixture{"videoseal_0.0_tiny.pth", 138, "16",
                              "detector.image_encoder.patch_embed.proj.weight", Shape{48, 3, 16, 16}},
                      Fixture{"chunkyseal_tiny_detector_only.pth", 81, "64",
                              "detector.convnext.downsample_layers.0.0.weight", Shape{11, 3, 4, 4}},
                      Fixture{"demo.pth", 284, "32", "detector.convnext.downsample_layers.0.0.weight",
                              Shape{32, 3, 4, 4}}));

TEST(Checkpoint, FindsSharedStorage) {
  const Checkpoint checkpoint = Checkpoint::open(fixture("pixelseal_tiny.pth"));
  const TensorView* one = checkpoint.find("embedder.msg_processor.msg_embeddings.weight");
  const TensorView* two = checkpoint.find("embedder.unet.msg_processor.msg_embeddings.weight");
  ASSERT_TRUE(one != nullptr && two != nullptr);
  EXPECT_EQ(one->storage, two->storage);
  EXPECT_EQ(one->bytes.data(), two->bytes.data());
}

TEST(Checkpoint, ListsTheTrainersSections) {
  const Checkpoint checkpoint = Checkpoint::open(fixture("chunkyseal_tiny.pth"));
  std::map<std::string, Section> sections;
  for (const Section& section : checkpoint.sections()) sections[section.name] = section;
  EXPECT_EQ(checkpoint.sections().front().name, "epoch");
  ASSERT_TRUE(sections.contains("optimizer"));
  EXPECT_EQ(sections["model"].tensors, checkpoint.tensors().size());
  EXPECT_EQ(sections["optimizer"].tensors, 285U);  // three for each of 95 parameters
  EXPECT_EQ(sections["optimizer"].bytes, 32268U);
  EXPECT_EQ(sections["args"].tensors, 0U);
}

TEST(Checkpoint, ReadsArgsFromTextAndDict) {
  const Checkpoint text = Checkpoint::open(fixture("chunkyseal_tiny.pth"));
  EXPECT_EQ(text.args().at("extractor_model"), "convnext_chunky");
  EXPECT_EQ(text.args().at("scaling_w"), "0.2");
  const Checkpoint dict = Checkpoint::open(fixture("pixelseal_tiny.pth"));
  EXPECT_EQ(dict.args().at("attenuation"), "jnd_1_1");
  EXPECT_EQ(dict.args().at("scaling_i"), "1.0");
}

TEST(Checkpoint, ViewsSurviveAMove) {
  Checkpoint first = Checkpoint::open(fixture("demo.pth"));
  const ByteView bytes = first.tensors().begin()->second.bytes;
  const Checkpoint second = std::move(first);
  EXPECT_EQ(second.tensors().begin()->second.bytes.data(), bytes.data());
  EXPECT_EQ(as_text(bytes).size(), bytes.size());
}

TEST(Checkpoint, RefusesWhatIsNoCheckpoint) {
  const TestFolder folder;
  expect_error(ErrorCode::kNotFound, [&] { Checkpoint::open(folder / "absent.pth"); });
  write_file(folder / "empty.pth", "");
  expect_error(ErrorCode::kMalformed, [&] { Checkpoint::open(folder / "empty.pth"); });
  write_file(folder / "text.pth", "hello, world");
  expect_error(ErrorCode::kUnsupported, [&] { Checkpoint::open(folder / "text.pth"); });
  expect_error(ErrorCode::kUnsupported,
               [&] { Checkpoint::open(fixture("chunkyseal_tiny.cup.watermarked.png")); });
}

}  // namespace
}  // namespace sealite::checkpoint
