#include "model/unread_tensors.h"

#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "fixture_files.h"
#include "model/derive_card.h"
#include "model/network.h"
#include "model/small_checkpoint.h"

namespace sealite::model {
namespace {

using Names = std::vector<std::string>;

class Unread : public ::testing::Test {
 protected:
  UnreadTensors find(const std::vector<SmallTensor>& tensors) const {
    write_checkpoint(folder / "a.pth", tensors);
    return find_unread(*open_checkpoint(folder / "a.pth"), {{"net.inner.a.weight", {2}}}, "net.");
  }
  const ScratchFolder folder;
  const SmallTensor read{"net.inner.a.weight", {2}, {1, 2}};
};

TEST_F(Unread, WeightsAndNotesOfThisPart) {
  const UnreadTensors found = find({read,
                                    {"net.b.bias", {1}, {0}, DType::kFloat16},
                                    {"net.b.weight", {1}, {0}},
                                    {"net.inner.total_ops", {1}, {5}},
                                    {"net.table", {2}, {0, 1}, DType::kInt64},
                                    {"net.norm.num_batches_tracked", {}, {9}, DType::kInt64},
                                    {"network.weight", {1}, {0}},
                                    {"other.weight", {1}, {0}}});
  EXPECT_EQ(found.weights, (Names{"net.b.bias", "net.b.weight"}));
  EXPECT_EQ(found.notes, (Names{"net.inner.total_ops", "net.table"}));
}

// A module that two others hold is saved under both names.
TEST_F(Unread, ASecondNameIsNoWeightMore) {
  EXPECT_TRUE(find({read, {"net.a.weight", {2}, {1, 2}}}).weights.empty());
  EXPECT_EQ(find({read, {"net.a.weight", {2}, {1, 3}}}).weights, Names{"net.a.weight"}) << "other values";
  EXPECT_EQ(find({read, {"net.b.weight", {2}, {1, 2}}}).weights, Names{"net.b.weight"}) << "another path";
}

TEST_F(Unread, TheyAreNamedAndCounted) {
  find({read});
  const auto file = open_checkpoint(folder / "a.pth");
  UnreadTensors unread;
  unread.notes = {"net.table"};
  EXPECT_NO_THROW(check_unread(unread, *file, "detector", "card"));
  for (int i = 0; i < 10; ++i) unread.weights.push_back(std::to_string(i));
  expect_error(ErrorCode::kMismatch,
               {"a.pth", "10 weights", "the detector", "'card'", "'0', '1'", "'7' and 2 more"},
               [&] { check_unread(unread, *file, "detector", "card"); });
}

// Every tensor of the reference code's own checkpoints is read.
TEST(UnreadGolden, NothingInTheFixtures) {
  for (const char* name : {"demo", "chunkyseal_tiny", "chunkyseal_tiny_detector_only", "pixelseal_tiny",
                           "videoseal_1.0_tiny", "videoseal_0.0_tiny"}) {
    const auto file = open_checkpoint(fixture(std::string(name) + ".pth"));
    const Card card = derive_card(*file);
    const UnreadTensors detector = find_unread(*file, make_detector(card)->parameters(), "detector.");
    EXPECT_EQ(detector.weights, Names{}) << name;
    EXPECT_EQ(detector.notes, Names{}) << name;
    if (!card.embedder.present) continue;
    const UnreadTensors embedder = find_unread(*file, make_embedder(card)->parameters(), "embedder.");
    EXPECT_EQ(embedder.weights, Names{}) << name;
    EXPECT_EQ(embedder.notes, Names{}) << name;
  }
}

}  // namespace
}  // namespace sealite::model
