#include "graph/source.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "graph/float_bytes.h"

namespace sealite::graph {
namespace {

class Literal : public Source {
 public:
  Literal(Shape shape, std::vector<float> values)
      : Source(DType::kFloat32, std::move(shape)), values_(std::move(values)) {
    if (values_.size() != element_count(this->shape())) {
      fail(ErrorCode::kInternal, "literal of shape {} has {} values", to_string(this->shape()),
           values_.size());
    }
  }
  void read(Rows rows, MutableByteView out) const override {
    const ByteView bytes = view(rows);
    std::copy(bytes.begin(), bytes.end(), out.begin());
  }
  ByteView view(Rows rows) const override {
    const auto per_row = elements_per_row();
    return std::as_bytes(
        std::span(values_).subspan(to_size(rows.begin) * per_row, to_size(rows.end - rows.begin) * per_row));
  }

 private:
  std::vector<float> values_;
};

class Filled : public Source {
 public:
  Filled(Shape shape, float value) : Source(DType::kFloat32, std::move(shape)), value_(value) {}
  void read(Rows, MutableByteView out) const override { std::ranges::fill(as_floats(out), value_); }

 private:
  float value_;
};

Shape permute_shape(const Shape& shape, const std::vector<int>& permutation) {
  Shape result;
  for (const int axis : permutation) result.push_back(shape[static_cast<std::size_t>(axis)]);
  return result;
}

class Permuted : public Source {
 public:
  Permuted(SourcePtr base, std::vector<int> permutation)
      : Source(DType::kFloat32, permute_shape(base->shape(), permutation)), base_(std::move(base)) {
    // Stride in `base` of one step along each axis of the result.
    std::vector<std::int64_t> base_strides(base_->shape().size(), 1);
    for (std::size_t i = base_strides.size(); i-- > 1;)
      base_strides[i - 1] = base_strides[i] * base_->shape()[i];
    for (const int axis : permutation) strides_.push_back(base_strides[static_cast<std::size_t>(axis)]);
    rowwise_ = permutation[0] == 0;
  }

  void read(Rows rows, MutableByteView out) const override {
    // The outermost axis stays in place for OIHW -> OHWI: then only these rows are needed. Otherwise
    // (depthwise filters, small) all of it is.
    const Rows needed = rowwise_ ? rows : Rows{0, base_->row_count()};
    const ByteView in_place = base_->view(needed);
    const std::vector<float> copy = in_place.empty() ? read_floats(*base_, needed) : std::vector<float>();
    const float* from = in_place.empty() ? copy.data() : reinterpret_cast<const float*>(in_place.data());
    const std::int64_t first = rowwise_ ? 0 : rows.begin;
    float* to = as_floats(out).data();
    for (std::int64_t row = 0; row < rows.end - rows.begin; ++row) {
      to = copy_axis(1, from + (first + row) * strides_[0], to);
    }
  }
  void release(Rows rows) const override { base_->release(rowwise_ ? rows : Rows{0, base_->row_count()}); }

 private:
  float* copy_axis(std::size_t axis, const float* from, float* to) const {
    if (axis == strides_.size()) {
      *to = *from;
      return to + 1;
    }
    const std::int64_t count = shape()[axis];
    const std::int64_t stride = strides_[axis];
    if (axis + 1 == strides_.size()) {
      for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
      return to + count;
    }
    for (std::int64_t i = 0; i < count; ++i) to = copy_axis(axis + 1, from + i * stride, to);
    return to;
  }

  SourcePtr base_;
  std::vector<std::int64_t> strides_;
  bool rowwise_ = false;
};

class Reshaped : public Source {
 public:
  Reshaped(SourcePtr base, Shape shape) : Source(base->type(), std::move(shape)), base_(std::move(base)) {
    if (element_count(this->shape()) != element_count(base_->shape())) {
      fail(ErrorCode::kInternal, "cannot reshape {} to {}", to_string(base_->shape()),
           to_string(this->shape()));
    }
    same_rows_ = row_count() == base_->row_count();
  }
  void read(Rows rows, MutableByteView out) const override {
    if (same_rows_) return base_->read(rows, out);
    std::vector<std::byte> all(byte_size());
    base_->read({0, base_->row_count()}, all);
    std::memcpy(out.data(), all.data() + to_size(rows.begin) * bytes_per_row(), out.size());
  }
  ByteView view(Rows rows) const override {
    if (same_rows_) return base_->view(rows);
    const ByteView all = base_->view({0, base_->row_count()});
    if (all.empty()) return {};
    return all.subspan(to_size(rows.begin) * bytes_per_row(),
                       to_size(rows.end - rows.begin) * bytes_per_row());
  }
  void release(Rows rows) const override { base_->release(same_rows_ ? rows : Rows{0, base_->row_count()}); }

 private:
  SourcePtr base_;
  bool same_rows_ = false;
};

Shape taken_shape(Shape shape, int axis, std::size_t count) {
  shape[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(count);
  return shape;
}

class Taken : public Source {
 public:
  Taken(SourcePtr base, int axis, std::vector<std::int64_t> indices)
      : Source(DType::kFloat32, taken_shape(base->shape(), axis, indices.size())),
        base_(std::move(base)),
        axis_(static_cast<std::size_t>(axis)),
        indices_(std::move(indices)) {}

  void read(Rows rows, MutableByteView out) const override {
    const Shape& from_shape = base_->shape();
    std::int64_t inner = 1;
    for (std::size_t i = axis_ + 1; i < from_shape.size(); ++i) inner *= from_shape[i];
    std::int64_t outer = 1;
    for (std::size_t i = 0; i < axis_; ++i) outer *= i == 0 ? rows.end - rows.begin : from_shape[i];
    const std::vector<float> values = axis_ == 0 ? read_floats(*base_) : read_floats(*base_, rows);
    const std::int64_t first = axis_ == 0 ? rows.begin : 0;
    const std::int64_t last = axis_ == 0 ? rows.end : static_cast<std::int64_t>(indices_.size());
    float* to = as_floats(out).data();
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t i = first; i < last; ++i) {
        to = std::copy_n(values.data() + (o * from_shape[axis_] + indices_[to_size(i)]) * inner, inner, to);
      }
    }
  }
  void release(Rows rows) const override { base_->release(axis_ == 0 ? Rows{0, base_->row_count()} : rows); }

 private:
  SourcePtr base_;
  std::size_t axis_;
  std::vector<std::int64_t> indices_;
};

Shape with_columns(Shape shape, std::int64_t count) {
  shape.back() = count;
  return shape;
}

class ColumnRange : public Source {
 public:
  ColumnRange(SourcePtr base, std::int64_t begin, std::int64_t count)
      : Source(DType::kFloat32, with_columns(base->shape(), count)), base_(std::move(base)), begin_(begin) {
    if (begin < 0 || count < 1 || begin + count > base_->shape().back())
      fail(ErrorCode::kInternal, "no columns {} + {} in {}", begin, count, to_string(base_->shape()));
  }
  void read(Rows rows, MutableByteView out) const override {
    const std::size_t columns = to_size(base_->shape().back());
    float* to = as_floats(out).data();
    // Row by row: those of `base` may be many times as long.
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const std::vector<float> values = read_floats(*base_, {row, row + 1});
      for (std::size_t start = to_size(begin_); start < values.size(); start += columns)
        to = std::copy_n(values.data() + start, shape().back(), to);
    }
  }
  void release(Rows rows) const override { base_->release(rows); }

 private:
  SourcePtr base_;
  std::int64_t begin_;
};

}  // namespace

std::uint64_t Source::elements_per_row() const {
  std::uint64_t count = 1;
  for (std::size_t i = 1; i < shape_.size(); ++i) count *= static_cast<std::uint64_t>(shape_[i]);
  return count;
}

std::vector<float> read_floats(const Source& source, Rows rows) {
  if (source.type() != DType::kFloat32) {
    fail(ErrorCode::kInternal, "expected a float32 source, found {}", dtype_name(source.type()));
  }
  std::vector<float> values(to_size(rows.end - rows.begin) * source.elements_per_row());
  source.read(rows, std::as_writable_bytes(std::span(values)));
  source.release(rows);
  return values;
}

std::vector<float> read_floats(const Source& source) {
  return read_floats(source, {0, source.row_count()});
}

SourcePtr literal(Shape shape, std::vector<float> values) {
  return std::make_shared<Literal>(std::move(shape), std::move(values));
}

SourcePtr filled(Shape shape, float value) {
  return std::make_shared<Filled>(std::move(shape), value);
}

SourcePtr permuted(SourcePtr base, std::vector<int> permutation) {
  return std::make_shared<Permuted>(std::move(base), std::move(permutation));
}

SourcePtr reshaped(SourcePtr base, Shape shape) {
  return std::make_shared<Reshaped>(std::move(base), std::move(shape));
}

SourcePtr taken(SourcePtr base, int axis, std::vector<std::int64_t> indices) {
  return std::make_shared<Taken>(std::move(base), axis, std::move(indices));
}

SourcePtr column_range(SourcePtr base, std::int64_t begin, std::int64_t count) {
  return std::make_shared<ColumnRange>(std::move(base), begin, count);
}

}  // namespace sealite::graph
