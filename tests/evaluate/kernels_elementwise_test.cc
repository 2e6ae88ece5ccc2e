#include <gtest/gtest.h>

#include <cmath>

#include "evaluate/one_node.h"

namespace sealite::evaluate {

using namespace graph;
namespace {

double apply(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
    case BinaryKind::kSquaredDifference:
      return (a - b) * (a - b);
  }
  return 0;
}

constexpr BinaryKind kBinaryKinds[] = {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv,
                                       BinaryKind::kSquaredDifference};

TEST(Kernels, BinaryOfEqualShapes) {
  const Tensor a = random_tensor({2, 3, 4, 5}, 1);
  const Tensor b = random_tensor({2, 3, 4, 5}, 2, 0.5F, 2);
  for (const BinaryKind kind : kBinaryKinds) {
    std::vector<double> expected;
    for (std::size_t i = 0; i < a.values.size(); ++i)
      expected.push_back(apply(kind, static_cast<double>(a.values[i]), static_cast<double>(b.values[i])));
    expect_near(run_op(Binary{kind}, {a, b}).values, expected, 1e-6, 1e-6, op_name(Binary{kind}));
  }
}

TEST(Kernels, BinaryBroadcasts) {
  const Tensor x = counting_tensor({2, 2, 2, 3});
  for (const BinaryKind kind : kBinaryKinds) {
    const auto check = [&](const Tensor& other, auto index) {
      std::vector<double> right;
      std::vector<double> left;
      for (std::size_t i = 0; i < x.values.size(); ++i) {
        const auto value = static_cast<double>(other.values[index(i)]);
        right.push_back(apply(kind, static_cast<double>(x.values[i]), value));
        left.push_back(apply(kind, value, static_cast<double>(x.values[i]) + 1));
      }
      expect_near(run_op(Binary{kind}, {x, other}).values, right, 0, 1e-6, op_name(Binary{kind}));
      Tensor positive = x;
      for (float& value : positive.values) value += 1;
      expect_near(run_op(Binary{kind}, {other, positive}).values, left, 0, 1e-6, op_name(Binary{kind}));
    };
    check(tensor({}, {5}), [](std::size_t) { return 0; });
    check(tensor({3}, {1, 2, 4}), [](std::size_t i) { return i % 3; });
    check(tensor({1, 1, 1, 3}, {1, 2, 4}), [](std::size_t i) { return i % 3; });
    check(random_tensor({2, 2, 2, 1}, 3, 1, 2), [](std::size_t i) { return i / 3; });
    check(random_tensor({2, 1, 1, 3}, 4, 1, 2), [](std::size_t i) { return i / 12 * 3 + i % 3; });
    check(random_tensor({1, 2, 1, 1}, 5, 1, 2), [](std::size_t i) { return i / 6 % 2; });
  }
}

TEST(Kernels, BothOperandsBroadcast) {
  const Tensor y = run_op(Binary{BinaryKind::kAdd}, {tensor({2, 1}, {10, 20}), tensor({3}, {1, 2, 3})});
  EXPECT_EQ(y.shape, (Shape{2, 3}));
  EXPECT_EQ(y.values, (std::vector<float>{11, 12, 13, 21, 22, 23}));
}

TEST(Kernels, BinaryWithRelu) {
  const Op op = Binary{BinaryKind::kSub, Activation::kRelu};
  EXPECT_EQ(run_op(op, {tensor({3}, {1, 2, 3}), tensor({}, {2})}).values, (std::vector<float>{0, 0, 1}));
}

double apply(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::kSqrt:
      return std::sqrt(x);
    case UnaryKind::kRsqrt:
      return 1 / std::sqrt(x);
    case UnaryKind::kGelu:
      return x / 2 * std::erfc(-x / std::sqrt(2.0));
    case UnaryKind::kTanh:
      return std::tanh(x);
    case UnaryKind::kLogistic:
      return 1 / (1 + std::exp(-x));
    case UnaryKind::kRelu:
      return x > 0 ? x : 0;
  }
  return 0;
}

TEST(Kernels, Unary) {
  for (const UnaryKind kind : {UnaryKind::kSqrt, UnaryKind::kRsqrt, UnaryKind::kGelu, UnaryKind::kTanh,
                               UnaryKind::kLogistic, UnaryKind::kRelu}) {
    const bool positive = kind == UnaryKind::kSqrt || kind == UnaryKind::kRsqrt;
    // 70000 values: more than one block.
    const Tensor x = random_tensor({70000}, 6, positive ? 0.01F : -6, 6);
    std::vector<double> expected;
    for (const float value : x.values) expected.push_back(apply(kind, static_cast<double>(value)));
    expect_near(run_op(Unary{kind}, {x}).values, expected, 5e-7, 5e-7, op_name(Unary{kind}));
  }
}

TEST(Kernels, ReduceKeepsOrDropsAxes) {
  const Tensor x = counting_tensor({2, 2, 2, 2});
  const auto reduce = [&](ReduceKind kind, std::vector<int> axes, bool keep) {
    return run_op(Reduce{kind, std::move(axes), keep}, {x});
  };
  EXPECT_EQ(reduce(ReduceKind::kMean, {1, 2}, true).shape, (Shape{2, 1, 1, 2}));
  const Tensor mean = reduce(ReduceKind::kMean, {1, 2}, false);
  EXPECT_EQ(mean.shape, (Shape{2, 2}));
  EXPECT_EQ(mean.values, (std::vector<float>{3, 4, 11, 12}));
  EXPECT_EQ(reduce(ReduceKind::kSum, {1, 2}, true).values, (std::vector<float>{12, 16, 44, 48}));
  EXPECT_EQ(reduce(ReduceKind::kMean, {3}, true).values,
            (std::vector<float>{0.5F, 2.5F, 4.5F, 6.5F, 8.5F, 10.5F, 12.5F, 14.5F}));
  EXPECT_EQ(reduce(ReduceKind::kSum, {0}, false).values, (std::vector<float>{8, 10, 12, 14, 16, 18, 20, 22}));
  const Tensor all = reduce(ReduceKind::kSum, {0, 1, 2, 3}, false);
  EXPECT_EQ(all.shape, Shape{});
  EXPECT_EQ(all.values, std::vector<float>{120});
}

// x normalised over the innermost axis as the definition reads, in double.
std::vector<double> layer_norm(const Tensor& x, double epsilon, bool subtract_mean) {
  const auto channels = static_cast<std::size_t>(x.shape.back());
  std::vector<double> y;
  for (std::size_t start = 0; start < x.values.size(); start += channels) {
    double mean = 0;
    double variance = 0;
    const auto value = [&](std::size_t c) { return static_cast<double>(x.values[start + c]); };
    for (std::size_t c = 0; c < channels; ++c) mean += value(c) / static_cast<double>(channels);
    for (std::size_t c = 0; c < channels; ++c)
      variance += (value(c) - mean) * (value(c) - mean) / static_cast<double>(channels);
    for (std::size_t c = 0; c < channels; ++c)
      y.push_back((value(c) - (subtract_mean ? mean : 0)) / std::sqrt(variance + epsilon));
  }
  return y;
}

TEST(Kernels, LayerNorm) {
  const Tensor x = random_tensor({2, 3, 2, 7}, 7, -1, 3);
  const Tensor gamma = random_tensor({7}, 8);
  const Tensor beta = random_tensor({7}, 9);
  auto expected = layer_norm(x, 1e-6F, true);
  expect_near(run_op(LayerNorm{}, {x}).values, expected, 1e-6, 1e-6);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] =
        expected[i] * static_cast<double>(gamma.values[i % 7]) + static_cast<double>(beta.values[i % 7]);
  }
  expect_near(run_op(LayerNorm{}, {x, gamma, beta}).values, expected, 1e-6, 1e-6);
  expect_near(run_op(LayerNorm{1e-6F, false}, {x}).values, layer_norm(x, 1e-6F, false), 1e-6, 1e-6);
  expect_near(run_op(LayerNorm{0.5F}, {x}).values, layer_norm(x, 0.5, true), 1e-6, 1e-6);
}

TEST(Kernels, BatchNorm) {
  const Tensor x = random_tensor({2, 3, 2, 4}, 1, -3, 3);
  const Tensor gamma = random_tensor({4}, 2);
  const Tensor beta = random_tensor({4}, 3);
  const Tensor mean = random_tensor({4}, 4);
  const Tensor variance = random_tensor({4}, 5, 0.01F, 2);
  const Tensor y = run_op(BatchNorm{1e-5F}, {x, gamma, beta, mean, variance});
  std::vector<double> wanted;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const std::size_t c = i % 4;
    const auto of = [&](const Tensor& vector) { return static_cast<double>(vector.values[c]); };
    wanted.push_back((static_cast<double>(x.values[i]) - of(mean)) / std::sqrt(of(variance) + 1e-5) *
                         of(gamma) +
                     of(beta));
  }
  expect_near(y.values, wanted, 1e-6, 1e-6);
}

TEST(Kernels, LayerNormOfAConstantIsZero) {
  const Tensor y = run_op(LayerNorm{}, {tensor({1, 4}, {3, 3, 3, 3})});
  EXPECT_EQ(y.values, std::vector<float>(4, 0));
}

TEST(Kernels, GlobalResponseNormNormalisesEachImageByItself) {
  const Tensor x = random_tensor({2, 3, 2, 4}, 10, -2, 2);
  const Tensor gamma = random_tensor({4}, 11);
  const Tensor beta = random_tensor({4}, 12);
  std::vector<double> expected(x.values.size());
  for (std::size_t n = 0; n < 2; ++n) {
    double norms[4] = {};
    for (std::size_t i = 0; i < 24; ++i) {
      const auto value = static_cast<double>(x.values[n * 24 + i]);
      norms[i % 4] += value * value;
    }
    double mean = 0;
    for (double& norm : norms) mean += (norm = std::sqrt(norm)) / 4;
    for (std::size_t i = n * 24; i < (n + 1) * 24; ++i) {
      const auto value = static_cast<double>(x.values[i]);
      expected[i] = static_cast<double>(gamma.values[i % 4]) * value * norms[i % 4] / (mean + 1e-6) + value;
    }
  }
  expect_near(run_op(GlobalResponseNorm{}, {x, gamma}).values, expected, 1e-6, 1e-6);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += static_cast<double>(beta.values[i % 4]);
  expect_near(run_op(GlobalResponseNorm{}, {x, gamma, beta}).values, expected, 1e-6, 1e-6);
}

TEST(Kernels, GlobalResponseNormOfZero) {
  const Tensor y = run_op(GlobalResponseNorm{}, {Tensor{{1, 1, 1, 2}, {0, 0}}, tensor({2}, {1, 1})});
  EXPECT_EQ(y.values, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace sealite::evaluate
