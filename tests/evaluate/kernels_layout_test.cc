#include <gtest/gtest.h>

#include "evaluate/one_node.h"

namespace sealite::evaluate {

using namespace graph;
namespace {

TEST(Kernels, ReflectionPadOfOne) {
  const Tensor y = run_op(ReflectionPad{1}, {tensor({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(y.shape, (Shape{1, 4, 5, 1}));
  EXPECT_EQ(y.values, (std::vector<float>{5, 4, 5, 6, 5,  //
                                          2, 1, 2, 3, 2,  //
                                          5, 4, 5, 6, 5,  //
                                          2, 1, 2, 3, 2}));
}

TEST(Kernels, ReflectionPadOfTwo) {
  const Tensor y = run_op(ReflectionPad{2}, {counting_tensor({1, 3, 3, 1})});
  EXPECT_EQ(y.shape, (Shape{1, 7, 7, 1}));
  const int order[] = {2, 1, 0, 1, 2, 1, 0};
  for (std::size_t h = 0; h < 7; ++h) {
    for (std::size_t w = 0; w < 7; ++w)
      EXPECT_EQ(y.values[h * 7 + w], static_cast<float>(order[h] * 3 + order[w]));
  }
}

TEST(Kernels, ReflectionPadKeepsChannelsAndImagesApart) {
  const Tensor x = counting_tensor({2, 2, 2, 3});
  const Tensor y = run_op(ReflectionPad{1}, {x});
  EXPECT_EQ(y.shape, (Shape{2, 4, 4, 3}));
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(y.values[n * 48 + c], x.values[n * 12 + 9 + c]);
  }
}

TEST(Kernels, ZeroPadOfOne) {
  const Tensor y = run_op(ZeroPad{}, {tensor({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(y.shape, (Shape{1, 4, 5, 1}));
  EXPECT_EQ(y.values, (std::vector<float>{0, 0, 0, 0, 0,  //
                                          0, 1, 2, 3, 0,  //
                                          0, 4, 5, 6, 0,  //
                                          0, 0, 0, 0, 0}));
}

TEST(Kernels, ZeroPadKeepsChannelsAndImagesApart) {
  const Tensor x = counting_tensor({2, 2, 1, 3});
  const Tensor y = run_op(ZeroPad{2, 2, 2, 2}, {x});
  EXPECT_EQ(y.shape, (Shape{2, 6, 5, 3}));
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t h = 0; h < 2; ++h) {
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_EQ(y.values[((n * 6 + h + 2) * 5 + 2) * 3 + c], x.values[(n * 2 + h) * 3 + c]);
    }
  }
}

TEST(Kernels, BilinearHasHalfPixelCentres) {
  // PyTorch: F.interpolate(torch.tensor([[[1., 5.]]]), scale_factor=2, mode="linear", align_corners=False).
  const Tensor row = run_op(ResizeBilinear{1, 4}, {tensor({1, 1, 2, 1}, {1, 5})});
  EXPECT_EQ(row.values, (std::vector<float>{1, 2, 4, 5}));
  const Tensor square = run_op(ResizeBilinear{4, 4}, {tensor({1, 2, 2, 1}, {0, 4, 8, 12})});
  EXPECT_EQ(square.values, (std::vector<float>{0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12}));
  const Tensor third = run_op(ResizeBilinear{1, 6}, {tensor({1, 1, 2, 1}, {0, 6})});
  expect_near(third.values, std::vector<double>{0, 0, 2, 4, 6, 6}, 1e-6, 0);
}

TEST(Kernels, BilinearDownTakesTwoPixels) {
  const Tensor y = run_op(ResizeBilinear{1, 2}, {tensor({1, 1, 8, 1}, {0, 1, 2, 3, 4, 5, 6, 7})});
  EXPECT_EQ(y.values, (std::vector<float>{1.5F, 5.5F}));  // no antialiasing: (1+2)/2, (5+6)/2
}

TEST(Kernels, NearestRepeatsPixels) {
  const Tensor y = run_op(ResizeNearest{4, 6}, {counting_tensor({2, 2, 3, 2})});
  EXPECT_EQ(y.shape, (Shape{2, 4, 6, 2}));
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const std::size_t n = i / 48;
    const std::size_t h = i / 12 % 4;
    const std::size_t w = i / 2 % 6;
    EXPECT_EQ(y.values[i], static_cast<float>(n * 12 + (h / 2 * 3 + w / 2) * 2 + i % 2));
  }
}

TEST(Kernels, DepthToSpaceTakesChannelsPixelByPixel) {
  // [1,1,2,8]: two pixels of 2x2 blocks of 2 channels.
  const Tensor y = run_op(DepthToSpace{2}, {counting_tensor({1, 1, 2, 8})});
  EXPECT_EQ(y.shape, (Shape{1, 2, 4, 2}));
  EXPECT_EQ(y.values, (std::vector<float>{0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15}));
  EXPECT_EQ(run_op(DepthToSpace{3}, {counting_tensor({1, 1, 1, 9})}).shape, (Shape{1, 3, 3, 1}));
}

TEST(Kernels, Transpose) {
  const Tensor x = counting_tensor({2, 3, 4, 5});
  const Tensor nhwc = run_op(Transpose{{0, 2, 3, 1}}, {x});
  EXPECT_EQ(nhwc.shape, (Shape{2, 4, 5, 3}));
  for (std::size_t i = 0; i < nhwc.values.size(); ++i) {
    const std::size_t n = i / 60;
    const std::size_t hw = i / 3 % 20;
    EXPECT_EQ(nhwc.values[i], static_cast<float>((n * 3 + i % 3) * 20 + hw));
  }
  EXPECT_EQ(run_op(Transpose{{0, 3, 1, 2}}, {nhwc}).values, x.values);
  EXPECT_EQ(run_op(Transpose{{1, 0}}, {counting_tensor({2, 3})}).values,
            (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST(Kernels, Concatenation) {
  const Tensor a = tensor({1, 2, 1, 2}, {1, 2, 3, 4});
  const Tensor b = tensor({1, 2, 1, 2}, {5, 6, 7, 8});
  EXPECT_EQ(run_op(Concatenation{1}, {a, b}).values, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(run_op(Concatenation{2}, {a, b}).values, (std::vector<float>{1, 2, 5, 6, 3, 4, 7, 8}));
  const Tensor wide = run_op(Concatenation{3}, {a, tensor({1, 2, 1, 1}, {9, 10}), a});
  EXPECT_EQ(wide.shape, (Shape{1, 2, 1, 5}));
  EXPECT_EQ(wide.values, (std::vector<float>{1, 2, 9, 1, 2, 3, 4, 10, 3, 4}));
  EXPECT_EQ(run_op(Concatenation{0}, {tensor({1}, {1}), tensor({2}, {2, 3})}).values,
            (std::vector<float>{1, 2, 3}));
}

TEST(Kernels, Slice) {
  const Tensor x = counting_tensor({2, 3, 4, 2});
  const Tensor y = run_op(Slice{{1, 1, 2, 0}, {1, 2, 2, 1}}, {x});
  EXPECT_EQ(y.values, (std::vector<float>{36, 38, 44, 46}));
  EXPECT_EQ(run_op(Slice{{2}, {2}}, {counting_tensor({5})}).values, (std::vector<float>{2, 3}));
  EXPECT_EQ(run_op(Slice{{2}, {-1}}, {counting_tensor({5})}).values, (std::vector<float>{2, 3, 4}));
  EXPECT_EQ(run_op(Slice{{0, 1}, {-1, 1}}, {counting_tensor({2, 3})}).values, (std::vector<float>{1, 4}));
}

TEST(Kernels, ReshapeFindsOneLength) {
  const Tensor x = counting_tensor({2, 6});
  EXPECT_EQ(run_op(Reshape{{-1, 1, 3, 2}}, {x}).shape, (Shape{2, 1, 3, 2}));
  EXPECT_EQ(run_op(Reshape{{3, -1}}, {x}).shape, (Shape{3, 4}));
}

TEST(Kernels, Reshape) {
  const Tensor y = run_op(Reshape{{4, 3}}, {counting_tensor({2, 6})});
  EXPECT_EQ(y.shape, (Shape{4, 3}));
  EXPECT_EQ(y.values, counting_tensor({12}).values);
}

}  // namespace
}  // namespace sealite::evaluate
