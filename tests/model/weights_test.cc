#include "model/weights.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "base/scratch_folder.h"
#include "checkpoint/builders.h"
#include "expect_error.h"
#include "fixture_files.h"
#include "model/card.h"
#include "model/network.h"
#include "model/small_checkpoint.h"
#include "model/unet.h"
#include "xxh3_preimage.h"

namespace sealite::model {
namespace {

// Trained values: without batch normalisation's running statistics (buffers in PyTorch), a shared storage
// once.
std::uint64_t parameter_count(const std::vector<Parameter>& parameters) {
  std::uint64_t count = 0;
  for (const Parameter& parameter : parameters) {
    const bool buffer =
        parameter.type != DType::kFloat32 || parameter.name.find(".running_") != std::string::npos;
    if (!buffer && parameter.same_storage_as.empty()) count += element_count(parameter.shape).value();
  }
  return count;
}

TEST(Parameters, AreAsManyAsTheRealModelsHave) {
  const Card chunky = load_card("chunkyseal");
  EXPECT_EQ(parameter_count(make_detector(chunky)->parameters()), 773'715'209U);
  EXPECT_EQ(parameter_count(make_embedder(chunky)->saved_parameters()), 1'022'745'283U);
  EXPECT_EQ(parameter_count(make_embedder(chunky)->parameters()), 1'022'745'283U);
}

TEST(Parameters, OfTheFixturesAreInTheirFiles) {
  for (const std::string name :
       {"chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny", "videoseal_0.0_tiny", "demo"}) {
    const auto file = checkpoint::Checkpoint::open(fixture(name + ".pth"));
    const Card card = load_card(fixture(name + ".card.yaml"));
    const auto detector = make_detector(card)->parameters();
    const auto embedder = make_embedder(card)->saved_parameters();
    check_parameters(file, detector, name);
    check_parameters(file, embedder, name);
    // The rest of a file: rgb2yuv.M, and with JND attenuation.conv_x, conv_y and conv_lum.
    const std::size_t rest = card.attenuation.starts_with("jnd") ? 4 : 1;
    EXPECT_EQ(detector.size() + embedder.size() + rest, file.tensors().size()) << name;
    for (const Parameter& parameter : embedder) {
      EXPECT_EQ(file.find(parameter.name)->type, parameter.type) << parameter.name;
      if (parameter.same_storage_as.empty()) continue;
      EXPECT_EQ(file.find(parameter.name)->storage, file.find(parameter.same_storage_as)->storage);
    }
  }
}

UNetCard& unet(Card& card) {
  return std::any_cast<UNetCard&>(card.embedder.network);
}

TEST(Parameters, OfUnsupportedNetworks) {
  Card norm = load_card("pixelseal");
  unet(norm).normalization = "instance";
  expect_error(ErrorCode::kUnsupported, {"pixelseal", "'instance'", "rms"}, [&] { make_embedder(norm); });
  unet(norm).normalization = "";
  expect_error(ErrorCode::kMismatch, {"normalisation", "--card"}, [&] { make_embedder(norm); });
  Card activation = load_card("pixelseal");
  unet(activation).activation = "mish";
  expect_error(ErrorCode::kUnsupported, {"pixelseal", "'mish'", "silu"}, [&] { make_embedder(activation); });
  Card colours = load_card("pixelseal");
  unet(colours).in_channels = 2;
  expect_error(ErrorCode::kUnsupported, {"from 2 to 1 channels"}, [&] { make_embedder(colours); });
  Card vae = load_card("pixelseal");
  vae.embedder.model = "vae_small";
  expect_error(ErrorCode::kUnsupported, {"'vae_small'", "U-Net (unet_*)"}, [&] { make_embedder(vae); });
  const Card read = parse_card("other", "args: {nbits: 8}\nextractor: {model: x}\nembedder: {model: vae}");
  EXPECT_TRUE(read.embedder.present);
  expect_error(ErrorCode::kUnsupported, {"card 'other'", "'vae'", "U-Net (unet_*)"},
               [&] { make_embedder(read); });
  Card alone = load_card("pixelseal");
  alone.embedder.present = false;
  expect_error(ErrorCode::kMismatch, {"no embedder"}, [&] { make_embedder(alone); });
  Card odd = load_card("pixelseal");
  odd.detector.model = "resnet";
  expect_error(ErrorCode::kUnsupported, {"pixelseal", "'resnet'"}, [&] { make_detector(odd); });
  odd = load_card("pixelseal");
  odd.detector.pixel_decoder.upscale_stages = {1000};
  expect_error(ErrorCode::kMismatch, {"768 channels / 1000"}, [&] { make_detector(odd)->parameters(); });
}

// Two tensors that a network wants, in a file with what the test puts there.
class TwoTensors : public ::testing::Test {
 protected:
  TwoTensors() { parameters[0].name = "a", parameters[1].name = "b"; }

  const checkpoint::Checkpoint& open(const std::vector<SmallTensor>& tensors) {
    const auto path = folder_ / ("file" + std::to_string(files_.size()) + ".pth");
    write_checkpoint(path, tensors);
    files_.push_back(open_checkpoint(path));
    return *files_.back();
  }
  WeightAudit audit_of(const std::vector<SmallTensor>& tensors) {
    open(tensors);
    return audit(files_.back(), parameters);
  }
  std::shared_ptr<const checkpoint::Checkpoint> last_opened() const { return files_.back(); }

  std::vector<Parameter> parameters{{.name = "a", .shape = {2, 3}}, {.name = "b", .shape = {4}}};
  const SmallTensor a{"a", {2, 3}, {1, 2, 3, 4, 5, 6}};
  const SmallTensor b{"b", {4}, {1, 2, 3, 4}};

 private:
  ScratchFolder folder_;
  std::vector<std::shared_ptr<const checkpoint::Checkpoint>> files_;
};

TEST_F(TwoTensors, CheckParameters) {
  EXPECT_NO_THROW(check_parameters(open({a, b}), parameters, "the-card"));
  EXPECT_NO_THROW(check_parameters(open({b, {"more", {1}, {1}}, a}), parameters, "the-card"));
  expect_error(ErrorCode::kMismatch,
               {".pth", "'the-card'", "'b': expected [4], found none", "--card", "pixelseal"},
               [&] { check_parameters(open({a}), parameters, "the-card"); });
  const SmallTensor longer{"b", {5}, {1, 2, 3, 4, 5}};
  expect_error(ErrorCode::kMismatch, {"'b': expected [4], found [5]"},
               [&] { check_parameters(open({a, longer}), parameters, "the-card"); });
  const SmallTensor flat{"a", {6}, {1, 2, 3, 4, 5, 6}};
  expect_error(ErrorCode::kMismatch, {"'a': expected [2, 3], found [6]", "and 1 more"},
               [&] { check_parameters(open({flat, longer}), parameters, "the-card"); });
  try {
    check_parameters(open({a}), parameters, "the-card");
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("more"), std::string::npos) << error.what();
  }
}

TEST_F(TwoTensors, HashIsOfTheParametersAlone) {
  const WeightAudit audit = audit_of({a, b});
  // By Python's blake3 from the definition in docs/file-format.md.
  EXPECT_EQ(audit.hash, "blake3:1ff80f5e31e9c2d65953ff04c0834ad71963965395b68ef8fd6ac33e8f10178a");
  EXPECT_TRUE(audit.non_finite.empty());
  EXPECT_EQ(audit_of({a, b}).hash, audit.hash);
  EXPECT_EQ(audit_of({b, {"optimizer", {1000}, random_values({1000}, 1)}, a}).hash, audit.hash);
}

TEST_F(TwoTensors, HashChangesWithEachValue) {
  const std::string hash = audit_of({a, b}).hash;
  for (std::size_t i = 0; i < 4; ++i) {
    SmallTensor changed = b;
    changed.values[i] += 1e-6F;
    EXPECT_NE(audit_of({a, changed}).hash, hash);
  }
  SmallTensor swapped = a;
  std::swap(swapped.values[0], swapped.values[1]);
  EXPECT_NE(audit_of({swapped, b}).hash, hash);
}

// XXH3, which the hash once was, stays the same.
TEST_F(TwoTensors, HashChangesWithAForgedBlock) {
  parameters[1].shape = {1024};
  const SmallTensor large{"b", {1024}, random_values({1024}, 2)};
  SmallTensor forged = large;
  Xxh3Block::forge(std::span(forged.values).subspan<256, Xxh3Block::kFloats>());
  ASSERT_NE(forged.values, large.values);
  EXPECT_NE(audit_of({a, forged}).hash, audit_of({a, large}).hash);
}

TEST_F(TwoTensors, NonFiniteValuesAreCounted) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kLargest = std::numeric_limits<float>::max();
  const SmallTensor spoilt{"a", {2, 3}, {1, kNan, kInfinity, -kInfinity, kLargest, -kNan}};
  using Counts = std::vector<std::pair<std::string, std::uint64_t>>;
  EXPECT_EQ(audit_of({spoilt, b}).non_finite, (Counts{{"a", 4}}));
  const SmallTensor halves{"b", {4}, {65504, 70000, kNan, 1e-7F}, DType::kFloat16};
  EXPECT_EQ(audit_of({a, halves}).non_finite, (Counts{{"b", 2}}));
  EXPECT_EQ(audit_of({spoilt, halves}).non_finite, (Counts{{"a", 4}, {"b", 2}}));
  const SmallTensor integers{"b", {4}, {-1, 0x7FF, 1, 2}, DType::kInt64};
  EXPECT_TRUE(audit_of({a, integers}).non_finite.empty());
}

// What PyTorch calls channels_last: the same values, other strides.
TEST_F(TwoTensors, HashAndCountsAreOfTheValuesInLogicalOrder) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const ScratchFolder folder;
  const auto strided = [&](const std::vector<float>& values) {
    const std::string storage(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    const checkpoint::TensorOps a_ops{.elements = 10, .shape = {2, 3}, .strides = {1, 2}};
    const checkpoint::TensorOps b_ops{.elements = 10, .offset = 6, .shape = {4}, .strides = {1}};
    write_text(folder / "strided.pth",
               checkpoint::torch_zip(
                   checkpoint::proto("}(" + checkpoint::text_op("model") + "}(" + checkpoint::text_op("a") +
                                     a_ops() + checkpoint::text_op("b") + b_ops() + "uu"),
                   storage));
    return audit(open_checkpoint(folder / "strided.pth"), parameters);
  };
  EXPECT_EQ(strided({1, 4, 2, 5, 3, 6, 1, 2, 3, 4}).hash, audit_of({a, b}).hash);
  EXPECT_NE(strided({1, 2, 3, 4, 5, 6, 1, 2, 3, 4}).hash, audit_of({a, b}).hash);
  using Counts = std::vector<std::pair<std::string, std::uint64_t>>;
  EXPECT_EQ(strided({1, kNan, 2, 5, kNan, 6, 1, 2, 3, 4}).non_finite, (Counts{{"a", 2}}));
}

// A conversion shows the auditor what it reads, as it comes: pieces and rows do not fit each other.
TEST_F(TwoTensors, WhatIsSeenWhileItIsReadCountsOnce) {
  constexpr std::int64_t kRows = 500;
  constexpr std::int64_t kColumns = 701;
  parameters[1].shape = {kRows, kColumns};
  SmallTensor large{"b", {kRows, kColumns}, random_values({kRows, kColumns}, 2)};
  large.values[12345] = std::numeric_limits<float>::infinity();
  const WeightAudit whole = audit_of({a, large});
  const auto auditor = std::make_shared<WeightAuditor>(last_opened(), parameters);
  const graph::SourcePtr source = Weights(last_opened(), auditor).source("b");
  for (const graph::Rows rows : {graph::Rows{3, 4}, graph::Rows{90, 200}, graph::Rows{150, 151},
                                 graph::Rows{400, 500}, graph::Rows{90, 200}}) {
    EXPECT_EQ(graph::read_floats(*source, rows)[0],
              large.values[static_cast<std::size_t>(rows.begin * kColumns)]);
    EXPECT_FALSE(source->view(rows).empty());
    source->release(rows);
  }
  const WeightAudit seen = auditor->finish();
  EXPECT_EQ(seen.hash, whole.hash);
  EXPECT_EQ(seen.non_finite, whole.non_finite);
  EXPECT_EQ(seen.non_finite.size(), 1U);
}

// More than one piece, so that the pieces' counts and hashes are joined.
TEST_F(TwoTensors, LargeTensorsAreAuditedInPieces) {
  constexpr std::int64_t kCount = 1'200'000;
  parameters[1].shape = {kCount};
  SmallTensor large{"b", {kCount}, random_values({kCount}, 2)};
  const WeightAudit clean = audit_of({a, large});
  EXPECT_TRUE(clean.non_finite.empty());
  for (const std::size_t at : {std::size_t{0}, std::size_t{600'000}, std::size_t{kCount - 1}})
    large.values[at] = std::numeric_limits<float>::infinity();
  const WeightAudit spoilt = audit_of({a, large});
  ASSERT_EQ(spoilt.non_finite.size(), 1U);
  EXPECT_EQ(spoilt.non_finite[0].second, 3U);
  EXPECT_NE(spoilt.hash, clean.hash);
}

TEST_F(TwoTensors, SourcesConvertAndKeepTheFileOpen) {
  graph::SourcePtr source;
  graph::SourcePtr halves;
  {
    const ScratchFolder folder;
    write_checkpoint(folder / "x.pth", {a, {"half", {3}, {1, -0.5F, 65504}, DType::kFloat16}});
    const Weights weights(open_checkpoint(folder / "x.pth"));
    source = weights.source("a");
    halves = weights.source("half");
    expect_error(ErrorCode::kMismatch, {"'nothing'"}, [&] { weights.source("nothing"); });
  }
  EXPECT_EQ(source->shape(), (Shape{2, 3}));
  EXPECT_EQ(graph::read_floats(*source), a.values);
  EXPECT_EQ(graph::read_floats(*source, {1, 2}), (std::vector<float>{4, 5, 6}));
  EXPECT_FALSE(source->view({0, 1}).empty());
  EXPECT_EQ(halves->type(), DType::kFloat32);
  EXPECT_TRUE(halves->view({0, 3}).empty());
  EXPECT_EQ(graph::read_floats(*halves), (std::vector<float>{1, -0.5F, 65504}));
}

}  // namespace
}  // namespace sealite::model
