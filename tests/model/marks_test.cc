// What the networks' builders say of their values, and that it is still said after every pass.
#include <gtest/gtest.h>

#include <map>

#include "fixture_files.h"
#include "model/detector_graph.h"
#include "model/embedder_graph.h"
#include "model/small_checkpoint.h"
#include "passes/pass.h"

namespace sealite::model {
namespace {

using graph::Mark;
using Marks = std::map<Mark, int>;

// Of the inputs and of what nodes make.
Marks marks_in(const graph::Graph& graph) {
  Marks marks;
  const auto count = [&](graph::ValueId id) {
    if (graph.value(id).mark != Mark::kNone) ++marks[graph.value(id).mark];
  };
  for (const graph::ValueId id : graph.inputs) count(id);
  for (const graph::Node& node : graph.nodes) count(node.output);
  return marks;
}

// The operators that make the values with this mark.
std::vector<std::string> makers_of(const graph::Graph& graph, Mark mark) {
  std::vector<std::string> ops;
  for (const graph::Node& node : graph.nodes) {
    if (graph.value(node.output).mark == mark) ops.emplace_back(op_name(node.op));
  }
  return ops;
}

class NetworkMarks : public ::testing::TestWithParam<const char*> {
 protected:
  const Card card = load_card(fixture(std::string(GetParam()) + ".card.yaml"));
  const Weights weights{open_checkpoint(fixture(std::string(GetParam()) + ".pth"))};
  const InterfaceOptions border{ImageLayout::kNchw, 1, card.image_size, card.image_size};
};

TEST_P(NetworkMarks, OfTheDetector) {
  graph::Graph graph = build_detector_graph(*make_detector(card), weights, border);
  passes::run_pipeline(graph, {});
  EXPECT_EQ(makers_of(graph, Mark::kStem), std::vector<std::string>{"CONV_2D"});
  ASSERT_EQ(makers_of(graph, Mark::kHead), std::vector<std::string>{"FULLY_CONNECTED"});
  EXPECT_EQ(graph.value(graph.outputs[0]).mark, Mark::kHead);
  Marks marks = marks_in(graph);
  EXPECT_EQ(marks[Mark::kPicture], 2);  // NCHW and NHWC
  EXPECT_EQ(marks[Mark::kGrnSums], marks[Mark::kBlockInput]);
  EXPECT_EQ(marks[Mark::kGrnScale], marks[Mark::kBlockInput]);
  EXPECT_EQ(marks[Mark::kBlockInput] > 0, card.detector.model.starts_with("convnext"));
}

TEST_P(NetworkMarks, OfTheEmbedder) {
  graph::Graph graph = build_embedder_graph(*make_embedder(card), weights, border);
  const Marks before = marks_in(graph);
  EXPECT_EQ(before.at(Mark::kMessage), 1);
  EXPECT_EQ(before.at(Mark::kRepeated), 1);
  // The block and its short way; batch normalisations and ReLUs become part of the former.
  const std::vector<std::string> stems = {"CONV_2D", "FULLY_CONNECTED"};
  EXPECT_EQ(makers_of(graph, Mark::kStem), stems);
  passes::run_pipeline(graph, {});
  EXPECT_EQ(makers_of(graph, Mark::kStem), stems);
  EXPECT_EQ(graph.value(graph.inputs[1]).mark, Mark::kMessage);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, NetworkMarks,
                         ::testing::Values("chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny",
                                           "videoseal_0.0_tiny", "demo"));

}  // namespace
}  // namespace sealite::model
