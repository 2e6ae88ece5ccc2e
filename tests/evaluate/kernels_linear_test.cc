#include <gtest/gtest.h>

#include <algorithm>

#include "evaluate/naive_convolution.h"
#include "evaluate/one_node.h"

namespace sealite::evaluate {

using namespace graph;
namespace {

constexpr double kTolerance = 2e-6;

struct ConvolutionCase {
  Shape x;  // NHWC
  std::int64_t out;
  std::int64_t kernel_h;
  std::int64_t kernel_w;
  std::int64_t stride;
  Padding padding;
};

// Names the case in ctest's list.
void PrintTo(const ConvolutionCase& c, std::ostream* out) {
  *out << to_string(c.x) << " to " << c.out << " kernel " << c.kernel_h << "x" << c.kernel_w << " stride "
       << c.stride << (c.padding == Padding::kSame ? " same" : " valid");
}

class Convolution : public ::testing::TestWithParam<ConvolutionCase> {};

TEST_P(Convolution, EqualsItsDefinition) {
  const ConvolutionCase& c = GetParam();
  const Tensor x = random_tensor(c.x, 1);
  const Tensor filter = random_tensor({c.out, c.kernel_h, c.kernel_w, c.x[3]}, 2);
  const Tensor bias = random_tensor({c.out}, 3);
  const Tensor y = run_op(Conv2D{c.stride, c.padding}, {x, filter, bias});
  NaiveConvolution naive;
  naive.stride = c.stride;
  naive.same = c.padding == Padding::kSame;
  auto expected = naive(x, filter, bias);
  expect_near(y.values, expected, kTolerance, kTolerance);
  for (double& value : expected) value = std::max(value, 0.0);
  const Tensor relu = run_op(Conv2D{c.stride, c.padding, Activation::kRelu}, {x, filter, bias});
  expect_near(relu.values, expected, kTolerance, kTolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Convolution,
    ::testing::Values(ConvolutionCase{{1, 1, 1, 1}, 1, 1, 1, 1, Padding::kValid},
                      ConvolutionCase{{2, 5, 7, 3}, 4, 3, 3, 1, Padding::kSame},
                      ConvolutionCase{{2, 5, 7, 3}, 4, 3, 3, 1, Padding::kValid},
                      ConvolutionCase{{1, 8, 8, 3}, 5, 4, 4, 4, Padding::kValid},   // stem, stride 4
                      ConvolutionCase{{1, 10, 9, 3}, 5, 4, 4, 2, Padding::kValid},  // stem, stride 2
                      ConvolutionCase{{1, 7, 7, 2}, 3, 2, 2, 2, Padding::kValid},   // a column is left over
                      ConvolutionCase{{1, 6, 7, 2}, 3, 3, 3, 2, Padding::kSame},    // odd padding
                      ConvolutionCase{{1, 5, 5, 2}, 3, 1, 1, 3, Padding::kSame},    // no padding at all
                      ConvolutionCase{{1, 4, 6, 2}, 3, 1, 5, 1, Padding::kSame}));

TEST(Kernels, ConvolutionByHand) {
  const Tensor x = tensor({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
  const Tensor filter = tensor({1, 2, 2, 1}, {1, 10, 100, 1000});
  const Tensor valid = run_op(Conv2D{}, {x, filter, tensor({1}, {0.5F})});
  EXPECT_EQ(valid.shape, (Shape{1, 1, 2, 1}));
  EXPECT_EQ(valid.values, (std::vector<float>{5421.5F, 6532.5F}));
  const Tensor same = run_op(Conv2D{1, Padding::kSame}, {x, filter, tensor({1}, {0})});
  EXPECT_EQ(same.values, (std::vector<float>{5421, 6532, 603, 54, 65, 6}));
}

struct DepthwiseCase {
  Shape x;  // NHWC
  std::int64_t kernel_h;
  std::int64_t kernel_w;
  std::int64_t dilation_h;
  std::int64_t dilation_w;
  Padding padding;
};

void PrintTo(const DepthwiseCase& c, std::ostream* out) {
  *out << to_string(c.x) << " kernel " << c.kernel_h << "x" << c.kernel_w << " dilation " << c.dilation_h
       << "x" << c.dilation_w << (c.padding == Padding::kSame ? " same" : " valid");
}

class Depthwise : public ::testing::TestWithParam<DepthwiseCase> {};

TEST_P(Depthwise, EqualsItsDefinition) {
  const DepthwiseCase& c = GetParam();
  const Tensor x = random_tensor(c.x, 4);
  const Tensor filter = random_tensor({1, c.kernel_h, c.kernel_w, c.x[3]}, 5);
  const Tensor bias = random_tensor({c.x[3]}, 6);
  const Tensor y = run_op(DepthwiseConv2D{c.dilation_h, c.dilation_w, c.padding}, {x, filter, bias});
  NaiveConvolution naive;
  naive.depthwise = true;
  naive.dilation_h = c.dilation_h;
  naive.dilation_w = c.dilation_w;
  naive.same = c.padding == Padding::kSame;
  expect_near(y.values, naive(x, filter, bias), kTolerance, kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Depthwise,
                         ::testing::Values(DepthwiseCase{{2, 9, 8, 3}, 7, 7, 1, 1, Padding::kSame},
                                           DepthwiseCase{{1, 9, 8, 3}, 7, 7, 1, 1, Padding::kValid},
                                           DepthwiseCase{{1, 9, 8, 3}, 2, 7, 4, 1, Padding::kSame},
                                           DepthwiseCase{{1, 9, 8, 3}, 2, 7, 6, 1, Padding::kSame},
                                           DepthwiseCase{{1, 9, 8, 2}, 3, 2, 2, 3, Padding::kValid},
                                           DepthwiseCase{{1, 3, 3, 2}, 7, 7, 1, 1, Padding::kSame}));

TEST(Kernels, FullyConnectedKeepsTheOtherAxes) {
  const Tensor filter = random_tensor({4, 3}, 7);
  const Tensor bias = random_tensor({4}, 8);
  for (const Shape& shape : {Shape{2, 3}, Shape{1, 5, 6, 3}, Shape{2, 70, 3}}) {
    const Tensor x = random_tensor(shape, 9);
    const Tensor y = run_op(FullyConnected{}, {x, filter, bias});
    EXPECT_EQ(y.shape.back(), 4);
    const Tensor as_pixels{{1, 1, static_cast<std::int64_t>(x.values.size()) / 3, 3}, x.values};
    auto expected = NaiveConvolution()(as_pixels, {{4, 1, 1, 3}, filter.values}, bias);
    expect_near(y.values, expected, kTolerance, kTolerance);
    for (double& value : expected) value = std::max(value, 0.0);
    expect_near(run_op(FullyConnected{Activation::kRelu}, {x, filter, bias}).values, expected, kTolerance,
                kTolerance);
  }
}

}  // namespace
}  // namespace sealite::evaluate
