#include <cstring>
#include <numeric>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/convert_elements.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

template <typename T>
std::vector<T> numbers(std::size_t count) {
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), T{1});
  return values;
}

template <typename T>
TensorView elements_view(const std::vector<T>& values, DType type, Shape shape,
                         std::vector<std::int64_t> strides) {
  return {type, std::move(shape), std::move(strides), std::as_bytes(std::span(values)), ""};
}

// All elements, read in pieces of `step`.
template <typename T>
std::vector<T> read_in_steps(const TensorView& view, std::size_t step) {
  std::vector<T> result(*element_count(view.shape));
  for (std::size_t first = 0; first < result.size(); first += step) {
    const auto piece = std::span(result).subspan(first, std::min(step, result.size() - first));
    read_elements(view, first, std::as_writable_bytes(piece));
  }
  return result;
}

TEST(ReadElements, AnyStridesFromAnyElement) {
  const auto values = numbers<std::uint16_t>(24);
  // channels last: shape [2,3,2,2] with strides of [2,2,2,3]
  const TensorView view = elements_view(values, DType::kFloat16, {2, 3, 2, 2}, {12, 1, 6, 3});
  std::vector<std::uint16_t> expected;
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t h = 0; h < 2; ++h)
        for (std::size_t w = 0; w < 2; ++w) expected.push_back(values[n * 12 + c + h * 6 + w * 3]);
  for (std::size_t step = 1; step <= 25; ++step)
    EXPECT_EQ(read_in_steps<std::uint16_t>(view, step), expected);
}

TEST(ReadElements, EveryElementSize) {
  const auto bytes = numbers<std::uint8_t>(6);
  EXPECT_EQ(read_in_steps<std::uint8_t>(elements_view(bytes, DType::kUInt8, {3, 2}, {1, 3}), 4),
            (std::vector<std::uint8_t>{1, 4, 2, 5, 3, 6}));
  const auto words = numbers<std::uint32_t>(6);
  EXPECT_EQ(read_in_steps<std::uint32_t>(elements_view(words, DType::kFloat32, {3, 2}, {1, 3}), 4),
            (std::vector<std::uint32_t>{1, 4, 2, 5, 3, 6}));
  const auto longs = numbers<std::uint64_t>(6);
  EXPECT_EQ(read_in_steps<std::uint64_t>(elements_view(longs, DType::kInt64, {3, 2}, {1, 3}), 4),
            (std::vector<std::uint64_t>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(read_in_steps<std::uint64_t>(elements_view(longs, DType::kInt64, {}, {}), 1),
            std::vector<std::uint64_t>{1});
  EXPECT_TRUE(read_in_steps<std::uint64_t>(elements_view(longs, DType::kInt64, {0, 3}, {3, 1}), 1).empty());
  EXPECT_EQ(read_in_steps<std::uint32_t>(elements_view(words, DType::kFloat32, {2, 3}, {3, 1}), 4), words);
}

// A NaN's payload must survive, also through the strided way.
TEST(ReadElements, BitsStayAsTheyAre) {
  const std::vector<std::uint32_t> values{0x7F800001U, 0xFFC12345U, 0x80000000U, 1U};
  EXPECT_EQ(read_in_steps<std::uint32_t>(elements_view(values, DType::kFloat32, {2, 2}, {1, 2}), 1),
            (std::vector<std::uint32_t>{0x7F800001U, 0x80000000U, 0xFFC12345U, 1U}));
}

TEST(ReadElements, RefusesWhatDoesNotFit) {
  const auto values = numbers<std::uint32_t>(6);
  const TensorView view = elements_view(values, DType::kFloat32, {2, 3}, {3, 1});
  std::vector<std::byte> out(64);
  const MutableByteView all(out);
  expect_error(ErrorCode::kUsage, [&] { read_elements(view, 0, all.first(28)); });
  expect_error(ErrorCode::kUsage, [&] { read_elements(view, 6, all.first(4)); });
  expect_error(ErrorCode::kUsage, [&] { read_elements(view, UINT64_MAX, all.first(4)); });
  expect_error(ErrorCode::kUsage, [&] { read_elements(view, 0, all.first(3)); });
  TensorView far = view;
  far.strides = {4, 1};
  expect_error(ErrorCode::kInternal, [&] { read_elements(far, 0, all.first(4)); });
  far.type = DType::kInt4;
  expect_error(ErrorCode::kUnsupported, [&] { read_elements(far, 0, all.first(4)); });
}

template <typename Out, typename In>
std::vector<Out> converted(DType from, const std::vector<In>& in, DType to, std::uint64_t overflowed) {
  std::vector<Out> out(in.size());
  EXPECT_EQ(convert_floats(from, std::as_bytes(std::span(in)), to, std::as_writable_bytes(std::span(out))),
            overflowed);
  return out;
}

TEST(ConvertFloats, RoundsAndCountsOverflow) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values{1.0F, 65504.0F, 65520.0F, -1e10F, infinity, -infinity, 3.4e38F, NAN};
  EXPECT_EQ(converted<std::uint16_t>(DType::kFloat32, values, DType::kFloat16, 3),
            (std::vector<std::uint16_t>{0x3C00, 0x7BFF, 0x7C00, 0xFC00, 0x7C00, 0xFC00, 0x7C00, 0x7E00}));
  EXPECT_EQ(converted<std::uint16_t>(DType::kFloat32, values, DType::kBFloat16, 1),
            (std::vector<std::uint16_t>{0x3F80, 0x4780, 0x4780, 0xD015, 0x7F80, 0xFF80, 0x7F80, 0x7FC0}));
  const std::vector<std::uint16_t> brain{0x3F80, 0x4780, 0x7F80, 0x7FC1};
  EXPECT_EQ(converted<std::uint16_t>(DType::kBFloat16, brain, DType::kFloat16, 1),
            (std::vector<std::uint16_t>{0x3C00, 0x7C00, 0x7C00, 0x7E00}));
  EXPECT_EQ(converted<float>(DType::kFloat16, std::vector<std::uint16_t>{0x3C00, 0x0001}, DType::kFloat32, 0),
            (std::vector<float>{1.0F, 0x1p-24F}));
}

TEST(ConvertFloats, RefusesWhatIsNoFloat) {
  std::vector<std::byte> bytes(8);
  expect_error(ErrorCode::kUsage, [&] { convert_floats(DType::kInt32, bytes, DType::kFloat32, bytes); });
  expect_error(ErrorCode::kUsage, [&] { convert_floats(DType::kFloat32, bytes, DType::kFloat16, bytes); });
}

}  // namespace
}  // namespace sealite::checkpoint
