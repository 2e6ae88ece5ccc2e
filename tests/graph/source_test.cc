#include "graph/source.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "expect_error.h"
#include "float_checks.h"
#include "graph/unviewed_source.h"

namespace sealite::graph {
namespace {

SourcePtr random_source(const Shape& shape, unsigned seed) {
  return literal(shape, random_values(shape, seed));
}

// The values of `source`, after checking that every range of rows, read or viewed, gives the same.
std::vector<float> read_every_way(const Source& source) {
  std::vector<float> whole = read_floats(source);
  EXPECT_EQ(whole.size(), element_count(source.shape()));
  EXPECT_EQ(source.byte_size(), whole.size() * sizeof(float));
  const auto per_row = static_cast<std::ptrdiff_t>(source.elements_per_row());
  for (std::int64_t begin = 0; begin < source.row_count(); ++begin) {
    for (std::int64_t end = begin + 1; end <= source.row_count(); ++end) {
      const std::vector<float> expected(whole.begin() + begin * per_row, whole.begin() + end * per_row);
      EXPECT_EQ(read_floats(source, {begin, end}), expected) << "rows " << begin << " to " << end;
      const ByteView view = source.view({begin, end});
      if (!view.empty()) {
        EXPECT_EQ(view.size(), expected.size() * sizeof(float));
        EXPECT_EQ(std::memcmp(view.data(), expected.data(), view.size()), 0);
      }
      source.release({begin, end});
    }
  }
  return whole;
}

// Both a base that lies in memory and one that does not.
void for_bases(const SourcePtr& base, const std::function<void(const SourcePtr&)>& body) {
  body(base);
  body(unviewed(base));
}

TEST(Source, Literal) {
  const auto source = literal({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(read_every_way(*source), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(source->type(), DType::kFloat32);
  EXPECT_EQ(source->elements_per_row(), 2U);
  EXPECT_EQ(source->view({1, 2}).size(), 8U);
  expect_error(ErrorCode::kInternal, {"[2, 2]", "3 values"}, [] { literal({2, 2}, {1, 2, 3}); });
}

TEST(Source, AScalarIsOneRow) {
  const auto source = literal({}, {7});
  EXPECT_EQ(source->row_count(), 1);
  EXPECT_EQ(source->elements_per_row(), 1U);
  EXPECT_EQ(read_every_way(*source), std::vector<float>{7});
}

TEST(Source, Filled) {
  EXPECT_EQ(read_every_way(*filled({4, 3}, 2.5F)), std::vector<float>(12, 2.5F));
  EXPECT_EQ(read_every_way(*filled({}, -1)), std::vector<float>{-1});
}

TEST(Source, PermutedOihwToOhwi) {
  const Shape oihw{3, 2, 4, 5};
  for_bases(random_source(oihw, 1), [&](const SourcePtr& base) {
    const auto source = permuted(base, {0, 2, 3, 1});
    ASSERT_EQ(source->shape(), (Shape{3, 4, 5, 2}));
    const auto from = read_floats(*base);
    const auto to = read_every_way(*source);
    std::size_t at = 0;
    for (std::size_t o = 0; o < 3; ++o) {
      for (std::size_t h = 0; h < 4; ++h) {
        for (std::size_t w = 0; w < 5; ++w) {
          for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(to[at++], from[((o * 2 + i) * 4 + h) * 5 + w]);
        }
      }
    }
  });
}

TEST(Source, PermutedC1hwTo1hwc) {
  const auto base = random_source({6, 1, 3, 2}, 2);
  const auto source = permuted(base, {1, 2, 3, 0});
  ASSERT_EQ(source->shape(), (Shape{1, 3, 2, 6}));
  const auto from = read_floats(*base);
  const auto to = read_every_way(*source);
  for (std::size_t hw = 0; hw < 6; ++hw) {
    for (std::size_t c = 0; c < 6; ++c) EXPECT_EQ(to[hw * 6 + c], from[c * 6 + hw]);
  }
}

TEST(Source, PermutedWithAnotherOutermostAxis) {
  const auto base = random_source({3, 4}, 3);
  const auto source = permuted(base, {1, 0});
  const auto from = read_floats(*base);
  const auto to = read_every_way(*source);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(to[i * 3 + j], from[j * 4 + i]);
  }
}

TEST(Source, Reshaped) {
  for_bases(random_source({4, 6}, 4), [](const SourcePtr& base) {
    for (const Shape& shape : {Shape{4, 2, 3}, Shape{8, 3}, Shape{24}, Shape{1, 24}, Shape{2, 3, 4}}) {
      const auto source = reshaped(base, shape);
      EXPECT_EQ(source->shape(), shape);
      EXPECT_EQ(read_every_way(*source), read_floats(*base)) << to_string(shape);
      EXPECT_EQ(source->view({0, 1}).empty(), base->view({0, 1}).empty());
    }
  });
  EXPECT_EQ(read_every_way(*reshaped(literal({1}, {3}), {})), std::vector<float>{3});
  expect_error(ErrorCode::kInternal, {"[4]", "[5]"}, [] { reshaped(filled({4}, 0), {5}); });
}

TEST(Source, TakenRows) {
  for_bases(random_source({5, 2, 3}, 5), [](const SourcePtr& base) {
    const auto source = taken(base, 0, {4, 0, 0, 2});
    ASSERT_EQ(source->shape(), (Shape{4, 2, 3}));
    const auto from = read_floats(*base);
    const auto to = read_every_way(*source);
    const std::size_t rows[] = {4, 0, 0, 2};
    for (std::size_t i = 0; i < to.size(); ++i) EXPECT_EQ(to[i], from[rows[i / 6] * 6 + i % 6]);
  });
}

TEST(Source, TakenAlongAnInnerAxis) {
  for_bases(random_source({2, 5, 3}, 6), [](const SourcePtr& base) {
    const auto source = taken(base, 1, {3, 1});
    ASSERT_EQ(source->shape(), (Shape{2, 2, 3}));
    const auto from = read_floats(*base);
    const auto to = read_every_way(*source);
    const std::size_t indices[] = {3, 1};
    for (std::size_t i = 0; i < to.size(); ++i)
      EXPECT_EQ(to[i], from[(i / 6 * 5 + indices[i / 3 % 2]) * 3 + i % 3]);
    const auto innermost = read_every_way(*taken(base, 2, {2}));
    for (std::size_t i = 0; i < innermost.size(); ++i) EXPECT_EQ(innermost[i], from[i * 3 + 2]);
  });
}

TEST(Source, ScaledColumns) {
  for (const Shape& shape : {Shape{4, 3}, Shape{4, 2, 2, 3}}) {
    for_bases(random_source(shape, 7), [](const SourcePtr& base) {
      const std::vector<float> factors{2, -0.5F, 0};
      const auto from = read_floats(*base);
      const auto to = read_every_way(*scaled_columns(base, factors));
      for (std::size_t i = 0; i < to.size(); ++i) EXPECT_EQ(to[i], from[i] * factors[i % 3]);
    });
  }
  expect_error(ErrorCode::kInternal, {"2 factors", "[4, 3]"},
               [] { scaled_columns(filled({4, 3}, 1), {1, 2}); });
}

TEST(Source, ScaledRows) {
  const SourcePtr base = random_source({3, 2, 4}, 6);
  const std::vector<float> factors = {2, -1, 0.5F};
  const std::vector<float> values = read_every_way(*scaled_rows(base, factors));
  const std::vector<float> before = read_floats(*base);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], before[i] * factors[i / 8]);
  expect_error(ErrorCode::kInternal, {"2 factors"}, [&] { scaled_rows(base, {1, 2}); });
}

TEST(Source, ColumnRange) {
  const SourcePtr base = random_source({3, 2, 5}, 7);
  const SourcePtr columns = column_range(base, 1, 3);
  EXPECT_EQ(columns->shape(), (Shape{3, 2, 3}));
  const std::vector<float> values = read_every_way(*columns);
  const std::vector<float> before = read_floats(*base);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], before[i / 3 * 5 + 1 + i % 3]);
  expect_error(ErrorCode::kInternal, {"columns 3 + 3"}, [&] { column_range(base, 3, 3); });
}

TEST(Source, SummedPositions) {
  const SourcePtr base = random_source({3, 2, 2, 5}, 8);
  const SourcePtr summed = summed_positions(base);
  EXPECT_EQ(summed->shape(), (Shape{3, 5}));
  const std::vector<float> values = read_every_way(*summed);
  const std::vector<float> before = read_floats(*base);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float* row = &before[i / 5 * 20 + i % 5];
    EXPECT_FLOAT_EQ(values[i], row[0] + row[5] + row[10] + row[15]);
  }
}

TEST(Source, CenteredColumns) {
  for (const Shape& shape : {Shape{3, 19}, Shape{2, 2, 2, 19}}) {
    for_bases(random_source(shape, 8), [](const SourcePtr& base) {
      const auto from = read_floats(*base);
      std::vector<double> expected;
      for (std::size_t start = 0; start < from.size(); start += 19) {
        double mean = 0;
        for (std::size_t i = 0; i < 19; ++i) mean += static_cast<double>(from[start + i]) / 19;
        for (std::size_t i = 0; i < 19; ++i) expected.push_back(static_cast<double>(from[start + i]) - mean);
      }
      expect_near(read_every_way(*centered_columns(base)), expected, 1e-7, 0);
    });
  }
}

// bias[o] + sum over all but the outermost axis of weight * vector (along the innermost), in double.
std::vector<double> folded(const std::vector<float>& bias, const std::vector<float>& weight,
                           const std::vector<float>& vector) {
  std::vector<double> sums(bias.begin(), bias.end());
  const std::size_t per_row = weight.size() / bias.size();
  for (std::size_t i = 0; i < weight.size(); ++i)
    sums[i / per_row] += static_cast<double>(weight[i]) * static_cast<double>(vector[i % vector.size()]);
  return sums;
}

TEST(Source, FoldedBias) {
  const auto vector = random_values({11}, 9);
  const auto bias = random_values({5}, 10);
  for (const Shape& shape : {Shape{5, 11}, Shape{5, 3, 2, 11}}) {
    for_bases(random_source(shape, 11), [&](const SourcePtr& weight) {
      const auto expected = folded(bias, read_floats(*weight), vector);
      const auto source = folded_bias(literal({5}, bias), weight, vector);
      EXPECT_EQ(source->shape(), Shape{5});
      expect_near(read_every_way(*source), expected, 1e-7, 1e-7);
      const auto without = folded(std::vector<float>(5, 0), read_floats(*weight), vector);
      expect_near(read_every_way(*folded_bias(nullptr, weight, vector)), without, 1e-7, 1e-7);
    });
  }
}

// More weights than a block of 2^19: the rows are summed in several steps.
TEST(Source, FoldedBiasOfManyRows) {
  constexpr std::int64_t kRows = 3000;
  constexpr std::int64_t kColumns = 500;
  const Shape shape{kRows, kColumns};
  const auto vector = random_values({kColumns}, 12);
  const auto weight = random_source(shape, 13);
  const auto bias = random_values({kRows}, 14);
  const auto source = folded_bias(literal({kRows}, bias), weight, vector);
  const auto expected = folded(bias, read_floats(*weight), vector);
  // Runs of 256 products are summed in float.
  expect_near(read_floats(*source), expected, 2e-6, 2e-7);
  const std::vector<double> part(expected.begin() + 100, expected.begin() + 2500);
  expect_near(read_floats(*source, {100, 2500}), part, 2e-6, 2e-7);
}

TEST(Source, Compose) {
  // The chain of a folded stem: OIHW -> OHWI, scaled, centred; and a bias folded over it.
  const auto oihw = random_source({4, 3, 2, 2}, 15);
  const auto chain = centered_columns(scaled_columns(permuted(oihw, {0, 2, 3, 1}), {2, 3, 4}));
  EXPECT_EQ(read_every_way(*chain).size(), 48U);
  read_every_way(*folded_bias(nullptr, chain, {1, 2, 3}));
  read_every_way(*taken(chain, 0, {3, 1}));
}

class Integers : public Source {
 public:
  Integers() : Source(DType::kInt8, {3}) {}
  void read(Rows, MutableByteView) const override {}
};

TEST(Source, FloatsOfAnotherTypeAreRefused) {
  expect_error(ErrorCode::kInternal, {"float32", "int8"}, [] { read_floats(Integers()); });
  EXPECT_EQ(Integers().byte_size(), 3U);
}

}  // namespace
}  // namespace sealite::graph
