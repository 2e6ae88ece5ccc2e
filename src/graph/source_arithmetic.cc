// The sources that compute: scaling, centring, adding up.
#include <algorithm>

#include "base/error.h"
#include "graph/float_bytes.h"
#include "graph/source.h"

namespace sealite::graph {
namespace {

class SummedPositions : public Source {
 public:
  explicit SummedPositions(SourcePtr base)
      : Source(DType::kFloat32, {base->shape().front(), base->shape().back()}), base_(std::move(base)) {}
  void read(Rows rows, MutableByteView out) const override {
    const std::size_t columns = to_size(shape().back());
    std::ranges::fill(as_floats(out), 0.0F);
    float* sums = as_floats(out).data();
    // Row by row: those of `base` are longer.
    for (std::int64_t row = rows.begin; row < rows.end; ++row, sums += columns) {
      const std::vector<float> values = read_floats(*base_, {row, row + 1});
      for (std::size_t i = 0; i < values.size(); ++i) sums[i % columns] += values[i];
    }
  }
  void release(Rows rows) const override { base_->release(rows); }

 private:
  SourcePtr base_;
};

// The sum of term(i) over [0, count): sixteen float sums over a short run (which vectorise), the runs summed
// in double.
template <typename Term>
double long_sum(std::size_t count, Term term) {
  constexpr std::size_t kLanes = 16;
  constexpr std::size_t kRun = 16 * kLanes;
  double total = 0;
  for (std::size_t start = 0; start < count; start += kRun) {
    const std::size_t end = std::min(start + kRun, count);
    float sums[kLanes] = {};
    std::size_t i = start;
    for (; i + kLanes <= end; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
    }
    for (std::size_t lane = 0; i < end; ++i, ++lane) sums[lane] += term(i);
    for (const float sum : sums) total += static_cast<double>(sum);
  }
  return total;
}

// A source of the same shape that changes each run along the innermost axis by itself.
class ColumnMap : public Source {
 public:
  explicit ColumnMap(SourcePtr base) : Source(DType::kFloat32, base->shape()), base_(std::move(base)) {}
  void read(Rows rows, MutableByteView out) const final {
    const auto values = as_floats(out);
    const ByteView in_place = base_->view(rows);
    if (in_place.empty()) base_->read(rows, out);
    const float* from = in_place.empty() ? values.data() : reinterpret_cast<const float*>(in_place.data());
    const std::size_t columns = to_size(shape().back());
    for (std::size_t start = 0; start < values.size(); start += columns)
      map_run(from + start, &values[start], columns);
  }
  void release(Rows rows) const override { base_->release(rows); }

 private:
  // `from` may be `to`.
  virtual void map_run(const float* from, float* to, std::size_t columns) const = 0;

  SourcePtr base_;
};

class ScaledColumns : public ColumnMap {
 public:
  ScaledColumns(SourcePtr base, std::vector<float> factors)
      : ColumnMap(std::move(base)), factors_(std::move(factors)) {
    if (to_size(shape().back()) != factors_.size()) {
      fail(ErrorCode::kInternal, "{} factors for columns of {}", factors_.size(), to_string(shape()));
    }
  }

 private:
  void map_run(const float* from, float* to, std::size_t columns) const override {
    for (std::size_t i = 0; i < columns; ++i) to[i] = from[i] * factors_[i];
  }

  std::vector<float> factors_;
};

class ScaledRows : public Source {
 public:
  ScaledRows(SourcePtr base, std::vector<float> factors)
      : Source(DType::kFloat32, base->shape()), base_(std::move(base)), factors_(std::move(factors)) {
    if (to_size(row_count()) != factors_.size()) {
      fail(ErrorCode::kInternal, "{} factors for rows of {}", factors_.size(), to_string(shape()));
    }
  }
  void read(Rows rows, MutableByteView out) const override {
    base_->read(rows, out);
    const std::size_t per_row = elements_per_row();
    float* to = as_floats(out).data();
    for (std::int64_t row = rows.begin; row < rows.end; ++row, to += per_row) {
      for (std::size_t i = 0; i < per_row; ++i) to[i] *= factors_[to_size(row)];
    }
  }
  void release(Rows rows) const override { base_->release(rows); }

 private:
  SourcePtr base_;
  std::vector<float> factors_;
};

class CenteredColumns : public ColumnMap {
 public:
  using ColumnMap::ColumnMap;

 private:
  void map_run(const float* from, float* to, std::size_t columns) const override {
    const double sum = long_sum(columns, [from](std::size_t i) { return from[i]; });
    const auto mean = static_cast<float>(sum / static_cast<double>(columns));
    for (std::size_t i = 0; i < columns; ++i) to[i] = from[i] - mean;
  }
};

class FoldedBias : public Source {
 public:
  FoldedBias(SourcePtr bias, SourcePtr weight, std::vector<float> vector)
      : Source(DType::kFloat32, {weight->row_count()}),
        bias_(std::move(bias)),
        weight_(std::move(weight)),
        vector_(std::move(vector)) {}

  void read(Rows rows, MutableByteView out) const override {
    const auto values = as_floats(out);
    std::ranges::fill(values, 0.0F);
    if (bias_) bias_->read(rows, out);
    const std::size_t per_row = weight_->elements_per_row();
    // A few megabytes of weights at a time: the bias is small, what it is made of is not.
    const auto step = std::max<std::int64_t>(1, static_cast<std::int64_t>(kBlockElements / per_row));
    for (std::int64_t begin = rows.begin; begin < rows.end; begin += step) {
      add_rows({begin, std::min(begin + step, rows.end)}, values.data() + (begin - rows.begin));
    }
  }
  void release(Rows rows) const override { weight_->release(rows); }

 private:
  static constexpr std::size_t kBlockElements = std::size_t{1} << 19U;

  void add_rows(Rows rows, float* sums) const {
    const ByteView in_place = weight_->view(rows);
    const std::vector<float> copy = in_place.empty() ? read_floats(*weight_, rows) : std::vector<float>();
    const float* from = in_place.empty() ? copy.data() : reinterpret_cast<const float*>(in_place.data());
    for (std::int64_t row = rows.begin; row < rows.end; ++row, ++sums) {
      double sum = static_cast<double>(*sums);
      for (std::size_t start = 0; start < weight_->elements_per_row(); start += vector_.size()) {
        const float* run = from + start;
        sum += long_sum(vector_.size(), [&](std::size_t i) { return run[i] * vector_[i]; });
      }
      *sums = static_cast<float>(sum);
      from += weight_->elements_per_row();
    }
  }

  SourcePtr bias_;
  SourcePtr weight_;
  std::vector<float> vector_;
};

}  // namespace

SourcePtr summed_positions(SourcePtr base) {
  return std::make_shared<SummedPositions>(std::move(base));
}

SourcePtr scaled_columns(SourcePtr base, std::vector<float> factors) {
  return std::make_shared<ScaledColumns>(std::move(base), std::move(factors));
}

SourcePtr scaled_rows(SourcePtr base, std::vector<float> factors) {
  return std::make_shared<ScaledRows>(std::move(base), std::move(factors));
}

SourcePtr centered_columns(SourcePtr base) {
  return std::make_shared<CenteredColumns>(std::move(base));
}

SourcePtr folded_bias(SourcePtr bias, SourcePtr weight, std::vector<float> vector) {
  return std::make_shared<FoldedBias>(std::move(bias), std::move(weight), std::move(vector));
}

}  // namespace sealite::graph
