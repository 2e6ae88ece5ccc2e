#include "quantize/moments.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "base/error.h"

namespace sealite::quantize {
namespace {

using graph::BinaryKind;
using graph::UnaryKind;

// Natural pictures in [0, 1].
constexpr float kPictureMean = 0.45F;
constexpr float kPictureVariance = 0.08F;
// Zeros and ones, as many of each.
constexpr float kBitMean = 0.5F;
constexpr float kBitVariance = 0.25F;

float at(const std::vector<float>& values, std::size_t channel) {
  return values.size() == 1 ? values[0] : values[channel];
}

double gelu(double z) {
  return 0.5 * z * (1.0 + std::erf(z / std::numbers::sqrt2));
}

double relu(double z) {
  return std::max(z, 0.0);
}

// E f(z) and Var f(z) for z ~ Normal(mean, variance), by the midpoint rule over six deviations.
std::pair<float, float> moments_of_normal(double (*function)(double), float mean, float variance) {
  constexpr int kSteps = 48;
  constexpr double kReach = 6.0;
  const double deviation = std::sqrt(static_cast<double>(variance));
  double first = 0;
  double second = 0;
  double total = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double u = kReach * (2.0 * (i + 0.5) / kSteps - 1.0);
    const double z = static_cast<double>(mean) + deviation * u;
    const double density = std::exp(-0.5 * u * u);
    const double y = function(z);
    total += density;
    first += density * y;
    second += density * y * y;
  }
  first /= total;
  return {static_cast<float>(first), static_cast<float>(std::max(0.0, second / total - first * first))};
}

std::pair<float, float> unary_moments(UnaryKind kind, float mean, float variance) {
  switch (kind) {
    case UnaryKind::kGelu:
      return moments_of_normal(gelu, mean, variance);
    case UnaryKind::kSqrt:
      return {std::sqrt(std::max(mean, 0.0F)), 0.0F};
    case UnaryKind::kRsqrt:
      return {1.0F / std::sqrt(std::max(mean, 1e-12F)), 0.0F};
    case UnaryKind::kTanh:
      return {std::tanh(mean), variance};
    case UnaryKind::kLogistic:
      return {1.0F / (1.0F + std::exp(-mean)), variance};
    case UnaryKind::kRelu:
      return moments_of_normal(relu, mean, variance);
  }
  return {mean, variance};
}

// Of independent operands.
std::pair<float, float> binary_moments(BinaryKind kind, float ma, float va, float mb, float vb) {
  switch (kind) {
    case BinaryKind::kAdd:
      return {ma + mb, va + vb};
    case BinaryKind::kSub:
      return {ma - mb, va + vb};
    case BinaryKind::kMul:
      return {ma * mb, va * mb * mb + vb * ma * ma + va * vb};
    case BinaryKind::kDiv:
      return {mb == 0 ? 0.0F : ma / mb, mb == 0 ? 0.0F : va / (mb * mb)};
    case BinaryKind::kSquaredDifference:
      return {va + vb + (ma - mb) * (ma - mb), 0.0F};
  }
  return {ma, va};
}

Moments map_channels(std::size_t count,
                     const std::function<std::pair<float, float>(std::size_t)>& moments_of) {
  Moments result;
  for (std::size_t c = 0; c < count; ++c) {
    const auto [mean, variance] = moments_of(c);
    result.mean.push_back(mean);
    result.variance.push_back(variance);
  }
  return result;
}

// Over channels: one value for all. Over pixels: means stay, sums grow with the count.
Moments reduce(const graph::Reduce& op, const Shape& shape, const Moments& x) {
  const int channel_axis = static_cast<int>(shape.size()) - 1;
  if (std::ranges::find(op.axes, channel_axis) != op.axes.end()) {
    double sum = 0;
    for (const float mean : x.mean) sum += static_cast<double>(mean);
    return {{static_cast<float>(sum / static_cast<double>(x.mean.size()))}, {0.0F}};
  }
  float count = 1;
  if (op.kind == graph::ReduceKind::kSum) {
    for (const int axis : op.axes) count *= static_cast<float>(shape[static_cast<std::size_t>(axis)]);
  }
  return map_channels(x.mean.size(), [&](std::size_t c) { return std::pair(x.mean[c] * count, 0.0F); });
}

// An activation that an operator applies to its own output.
void apply(graph::Activation activation, Moments& y) {
  if (activation == graph::Activation::kNone) return;
  y = map_channels(y.mean.size(), [&](std::size_t c) {
    return unary_moments(UnaryKind::kRelu, y.mean[c], at(y.variance, c));
  });
}

// Once for all channels.
Moments averaged(const Moments& x) {
  const auto average = [](const std::vector<float>& values) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value);
    return std::vector<float>{static_cast<float>(sum / static_cast<double>(values.size()))};
  };
  return {average(x.mean), average(x.variance)};
}

bool joins_channels(const graph::Graph& graph, const graph::Node& node) {
  const auto* concatenation = std::get_if<graph::Concatenation>(&node.op);
  return concatenation != nullptr &&
         static_cast<std::size_t>(concatenation->axis) + 1 == graph.shape(node.output).size();
}

}  // namespace

MomentEstimator::MomentEstimator(const graph::Graph& graph) : graph_(graph) {
  for (const graph::ValueId id : graph.inputs) {
    const bool message = graph.value(id).mark == graph::Mark::kMessage;
    known_[id] = message ? Moments{{kBitMean}, {kBitVariance}} : Moments{{kPictureMean}, {kPictureVariance}};
  }
}

void MomentEstimator::linear(const graph::Node& node, std::vector<float> sums, std::vector<float> squares,
                             const std::vector<float>& bias) {
  for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += bias[c];
  Moments& y = known_[node.output];
  y = {std::move(sums), std::move(squares)};
  apply(activation_of(node.op), y);
}

// A constant has no variance; of one that differs from pixel to pixel, the mean counts.
Moments MomentEstimator::operand(graph::ValueId id) const {
  const graph::Value& value = graph_.value(id);
  if (!value.source) return of(id);
  const std::vector<float> values = read_floats(*value.source);
  const std::size_t channels = value.shape.empty() ? 1 : static_cast<std::size_t>(value.shape.back());
  const std::size_t pixels = values.size() / channels;
  std::vector<float> means(channels);
  for (std::size_t i = 0; i < values.size(); ++i)
    means[i % channels] += values[i] / static_cast<float>(pixels);
  return {std::move(means), {0.0F}};
}

// Channels one after another, each with moments of its own.
Moments MomentEstimator::joined(const graph::Node& node) const {
  Moments y;
  for (const graph::ValueId id : node.inputs) {
    const Moments part = operand(id);
    for (std::size_t c = 0; c < static_cast<std::size_t>(graph_.shape(id).back()); ++c) {
      y.mean.push_back(at(part.mean, c));
      y.variance.push_back(at(part.variance, c));
    }
  }
  return y;
}

void MomentEstimator::step(const graph::Node& node) {
  const Moments x = operand(node.inputs[0]);
  Moments& y = known_[node.output];
  if (const auto* unary = std::get_if<graph::Unary>(&node.op)) {
    y = map_channels(x.mean.size(),
                     [&](std::size_t c) { return unary_moments(unary->kind, x.mean[c], at(x.variance, c)); });
  } else if (const auto* reduction = std::get_if<graph::Reduce>(&node.op)) {
    y = reduce(*reduction, graph_.shape(node.inputs[0]), x);
  } else if (const auto* binary = std::get_if<graph::Binary>(&node.op)) {
    const Moments other = operand(node.inputs[1]);
    const bool square = binary->kind == BinaryKind::kMul && node.inputs[0] == node.inputs[1];
    y = map_channels(std::max(x.mean.size(), other.mean.size()), [&](std::size_t c) {
      const float mean = at(x.mean, c);
      if (square) return std::pair(mean * mean + at(x.variance, c), 0.0F);
      return binary_moments(binary->kind, mean, at(x.variance, c), at(other.mean, c), at(other.variance, c));
    });
    apply(binary->activation, y);
  } else if (joins_channels(graph_, node)) {
    y = joined(node);
  } else if (std::holds_alternative<graph::BatchMatMul>(node.op)) {
    y = {{0.0F}, {1.0F}};  // attention: nothing is known of it without running it
  } else {
    // Slices, paddings, transposes and resizes keep what a channel holds; heads of attention are other
    // channels.
    y = x.mean.size() == static_cast<std::size_t>(graph_.shape(node.output).back()) ? x : averaged(x);
  }
}

}  // namespace sealite::quantize
