#include "quantize/moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "graph/builder.h"

namespace sealite::quantize {
namespace {

using namespace graph;

// The input's moments as the estimator has them, one channel.
TEST(MomentEstimator, GeluOfANormalInput) {
  Graph graph;
  Builder builder(graph);
  const ValueId x = builder.input("x", {1, 4, 4, 2});
  const ValueId y = builder.unary("gelu", UnaryKind::kGelu, x);
  MomentEstimator estimator(graph);
  estimator.step(graph.nodes[0]);
  std::mt19937 generator(1);
  std::normal_distribution<double> normal(estimator.of(x).mean[0], std::sqrt(estimator.of(x).variance[0]));
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 400000;
  for (int i = 0; i < kDraws; ++i) {
    const double z = normal(generator);
    const double value = 0.5 * z * (1 + std::erf(z / std::sqrt(2.0)));
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kDraws;
  EXPECT_NEAR(estimator.of(y).mean[0], mean, 2e-3);
  EXPECT_NEAR(estimator.of(y).variance[0], squares / kDraws - mean * mean, 2e-3);
}

TEST(MomentEstimator, NormalisedValuesHaveUnitSecondMoment) {
  Graph graph;
  Builder builder(graph);
  const ValueId x = builder.input("x", {1, 4, 4, 3});
  const ValueId offset = builder.constant("offset", {3}, {-1, 0, 4});
  const ValueId shifted = builder.binary("shifted", BinaryKind::kAdd, x, offset);
  const ValueId mean = builder.mean("mean", shifted, {3});
  const ValueId squares = builder.binary("squares", BinaryKind::kSquaredDifference, shifted, mean);
  const ValueId variance = builder.mean("variance", squares, {3});
  const ValueId scale = builder.unary("scale", UnaryKind::kRsqrt, variance);
  const ValueId centered = builder.binary("centered", BinaryKind::kSub, shifted, mean);
  const ValueId y = builder.binary("normalized", BinaryKind::kMul, centered, scale);
  MomentEstimator estimator(graph);
  for (const Node& node : graph.nodes) estimator.step(node);
  double second = 0;
  double first = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const auto m = static_cast<double>(estimator.of(y).mean[c]);
    first += m / 3;
    second += (m * m + static_cast<double>(estimator.of(y).variance[c])) / 3;
  }
  EXPECT_NEAR(first, 0, 1e-5);
  EXPECT_NEAR(second, 1, 1e-4);
}

// The mean of max(z, 0) for a normal z is m Phi(m/s) + s phi(m/s).
TEST(MomentEstimator, ReluOfANormalInputAloneOrFused) {
  Graph graph;
  Builder builder(graph);
  const ValueId x = builder.input("x", {1, 4, 4, 2});
  const ValueId alone = builder.unary("relu", UnaryKind::kRelu, x);
  const ValueId zero = builder.constant("zero", {}, {0});
  const ValueId fused = builder.add("sum", Binary{BinaryKind::kAdd, Activation::kRelu}, {x, zero});
  MomentEstimator estimator(graph);
  for (const Node& node : graph.nodes) estimator.step(node);
  const double mean = static_cast<double>(estimator.of(x).mean[0]);
  const double deviation = std::sqrt(static_cast<double>(estimator.of(x).variance[0]));
  const double u = mean / deviation;
  const double density = std::exp(-0.5 * u * u) / std::sqrt(2 * std::numbers::pi);
  const double wanted = mean * 0.5 * (1 + std::erf(u / std::numbers::sqrt2)) + deviation * density;
  EXPECT_NEAR(estimator.of(alone).mean[0], wanted, 2e-3);
  EXPECT_FLOAT_EQ(estimator.of(fused).mean[0], estimator.of(alone).mean[0]);
}

TEST(MomentEstimator, JoinedChannelsKeepTheirOwn) {
  Graph graph;
  Builder builder(graph);
  const ValueId image = builder.input("image", {1, 4, 4, 2});
  const ValueId message = builder.input("message", {1, 3}, Mark::kMessage);
  const ValueId pixel = builder.add("pixel", Reshape{{-1, 1, 1, 3}}, {message});
  const ValueId ones = builder.constant("ones", filled({1, 4, 4, 1}, 1));
  const ValueId repeated = builder.binary("repeated", BinaryKind::kMul, pixel, ones);
  const ValueId y = builder.add("joined", Concatenation{3}, {image, repeated});
  MomentEstimator estimator(graph);
  for (const Node& node : graph.nodes) estimator.step(node);
  EXPECT_EQ(estimator.of(y).mean, (std::vector<float>{0.45F, 0.45F, 0.5F, 0.5F, 0.5F}));
  EXPECT_EQ(estimator.of(y).variance, (std::vector<float>{0.08F, 0.08F, 0.25F, 0.25F, 0.25F}));
}

TEST(MomentEstimator, LinearLayersAreExactInTheMean) {
  Graph graph;
  Builder builder(graph);
  const ValueId x = builder.input("x", {1, 1, 1, 2});
  const ValueId filter = builder.constant("w", {1, 2}, {2, -1});
  const ValueId bias = builder.constant("b", {1}, {0.5F});
  const ValueId y = builder.add("fc", FullyConnected{}, {x, filter, bias});
  MomentEstimator estimator(graph);
  estimator.linear(graph.nodes[0], {0.45F}, {0.4F}, {0.5F});
  EXPECT_FLOAT_EQ(estimator.of(y).mean[0], 0.95F);
  EXPECT_FLOAT_EQ(estimator.of(y).variance[0], 0.4F);
}

}  // namespace
}  // namespace sealite::quantize
