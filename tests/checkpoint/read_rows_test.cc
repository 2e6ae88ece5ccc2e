#include <numeric>

#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

template <typename T>
TensorView view_of(const std::vector<T>& values, DType type, Shape shape, std::vector<std::int64_t> strides,
                   std::size_t offset = 0) {
  const ByteView bytes = std::as_bytes(std::span(values)).subspan(offset * sizeof(T));
  return {type, std::move(shape), std::move(strides), bytes, "0"};
}

std::vector<float> rows(const TensorView& view, std::int64_t first, std::int64_t last, std::size_t count) {
  std::vector<float> out(count, -1.0F);
  read_rows(view, first, last, out);
  return out;
}

std::vector<float> counting(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

TEST(ReadRows, ContiguousRange) {
  const auto values = counting(12);
  const TensorView view = view_of(values, DType::kFloat32, {3, 2, 2}, {4, 2, 1});
  EXPECT_TRUE(view.contiguous());
  EXPECT_EQ(rows(view, 1, 3, 8), (std::vector<float>{4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(rows(view, 0, 3, 12), values);
  EXPECT_TRUE(rows(view, 2, 2, 0).empty());
}

TEST(ReadRows, TransposedAndOffset) {
  const auto values = counting(7);
  const TensorView view = view_of(values, DType::kFloat32, {3, 2}, {1, 3}, 1);
  EXPECT_FALSE(view.contiguous());
  EXPECT_EQ(rows(view, 0, 3, 6), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(rows(view, 1, 2, 2), (std::vector<float>{2, 5}));
}

// Every order of the axes of a 2x3x4x5 tensor, against plain index arithmetic.
TEST(ReadRows, EveryPermutation) {
  const auto values = counting(120);
  const Shape base{2, 3, 4, 5};
  const std::vector<std::int64_t> base_strides{60, 20, 5, 1};
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    Shape shape;
    std::vector<std::int64_t> strides;
    for (const std::size_t axis : order) {
      shape.push_back(base[axis]);
      strides.push_back(base_strides[axis]);
    }
    std::vector<float> expected;
    for (std::int64_t a = 1; a < shape[0]; ++a)
      for (std::int64_t b = 0; b < shape[1]; ++b)
        for (std::int64_t c = 0; c < shape[2]; ++c)
          for (std::int64_t d = 0; d < shape[3]; ++d)
            expected.push_back(
                static_cast<float>(a * strides[0] + b * strides[1] + c * strides[2] + d * strides[3]));
    const TensorView view = view_of(values, DType::kFloat32, shape, strides);
    EXPECT_EQ(rows(view, 1, shape[0], expected.size()), expected) << to_string(shape);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ReadRows, SizeOneAxesMayHaveAnyStride) {
  const auto values = counting(4);
  const TensorView view = view_of(values, DType::kFloat32, {1, 2, 1, 2}, {999, 2, 77, 1});
  EXPECT_TRUE(view.contiguous());
  EXPECT_EQ(rows(view, 0, 1, 4), values);
}

TEST(ReadRows, StrideZeroRepeats) {
  const auto values = counting(2);
  EXPECT_EQ(rows(view_of(values, DType::kFloat32, {2, 2}, {0, 1}), 0, 2, 4),
            (std::vector<float>{0, 1, 0, 1}));
  EXPECT_EQ(rows(view_of(values, DType::kFloat32, {2, 2}, {1, 0}), 0, 2, 4),
            (std::vector<float>{0, 0, 1, 1}));
}

TEST(ReadRows, ScalarIsOneRow) {
  const std::vector<std::int64_t> value{601};
  EXPECT_EQ(rows(view_of(value, DType::kInt64, {}, {}), 0, 1, 1), std::vector<float>{601});
}

TEST(ReadRows, ConvertsTypes) {
  const std::vector<std::uint16_t> half{0x3C00, 0xC000, 0x0001};
  EXPECT_EQ(rows(view_of(half, DType::kFloat16, {3}, {1}), 0, 3, 3), (std::vector<float>{1, -2, 0x1p-24F}));
  const std::vector<std::uint16_t> bfloat{0x3F80, 0xC000, 0x7F80};
  EXPECT_EQ(rows(view_of(bfloat, DType::kBFloat16, {2}, {1}), 0, 2, 2), (std::vector<float>{1, -2}));
  const std::vector<std::int32_t> ints{-7, 8};
  EXPECT_EQ(rows(view_of(ints, DType::kInt32, {2}, {1}), 0, 2, 2), (std::vector<float>{-7, 8}));
  const std::vector<std::int8_t> bytes{-128, 127};
  EXPECT_EQ(rows(view_of(bytes, DType::kInt8, {2}, {1}), 0, 2, 2), (std::vector<float>{-128, 127}));
  const std::vector<std::uint8_t> flags{0, 255};
  EXPECT_EQ(rows(view_of(flags, DType::kUInt8, {2}, {1}), 0, 2, 2), (std::vector<float>{0, 255}));
}

TEST(ReadRows, RefusesWrongRequests) {
  const auto values = counting(6);
  const TensorView view = view_of(values, DType::kFloat32, {3, 2}, {2, 1});
  expect_error(ErrorCode::kUsage, [&] { rows(view, 0, 4, 8); });
  expect_error(ErrorCode::kUsage, [&] { rows(view, -1, 1, 4); });
  expect_error(ErrorCode::kUsage, [&] { rows(view, 2, 1, 0); });
  expect_error(ErrorCode::kUsage, [&] { rows(view, 0, 2, 3); });
  expect_error(ErrorCode::kInternal,
               [&] { rows(view_of(values, DType::kFloat32, {4, 2}, {2, 1}), 0, 1, 2); });
  expect_error(ErrorCode::kUnsupported, [&] { rows(view_of(values, DType::kInt4, {2}, {1}), 0, 2, 2); });
}

TEST(ReadRows, EmptyTensors) {
  const std::vector<float> none;
  EXPECT_TRUE(rows(view_of(none, DType::kFloat32, {0, 3}, {3, 1}), 0, 0, 0).empty());
  EXPECT_TRUE(rows(view_of(none, DType::kFloat32, {2, 0}, {1, 1}), 0, 2, 0).empty());
}

}  // namespace
}  // namespace sealite::checkpoint
