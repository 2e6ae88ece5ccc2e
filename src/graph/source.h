#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/shape.h"

namespace sealite::graph {

/// Rows [begin, end) of a constant's outermost axis. A scalar is one row.
struct Rows {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Where a constant's values come from. A constant is never an array: it is a source that can produce any
/// range of its outermost rows, so 3 GB of weights are folded, permuted and written block by block in tens of
/// megabytes. Sources are immutable and read from several threads at once.
class Source {
 public:
  Source(DType type, Shape shape) : type_(type), shape_(std::move(shape)) {}
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  DType type() const { return type_; }
  const Shape& shape() const { return shape_; }
  std::int64_t row_count() const { return shape_.empty() ? 1 : shape_[0]; }
  std::uint64_t elements_per_row() const;
  std::uint64_t bytes_per_row() const { return dtype_bytes(type_, elements_per_row()); }
  std::uint64_t byte_size() const { return bytes_per_row() * static_cast<std::uint64_t>(row_count()); }

  /// Writes `rows`, row-major; `out` has exactly their size.
  virtual void read(Rows rows, MutableByteView out) const = 0;
  /// The bytes of `rows` where they already lie in memory in this form, else empty: saves a copy.
  virtual ByteView view(Rows) const { return {}; }
  /// Says that `rows` are not needed for now: a mapped file's pages may leave memory.
  virtual void release(Rows) const {}

 private:
  DType type_;
  Shape shape_;
};

using SourcePtr = std::shared_ptr<const Source>;

/// `rows` of a float32 source as values.
std::vector<float> read_floats(const Source& source, Rows rows);
/// All values of a float32 source.
std::vector<float> read_floats(const Source& source);

/// Values held in memory.
SourcePtr literal(Shape shape, std::vector<float> values);
/// One value everywhere.
SourcePtr filled(Shape shape, float value);
/// `base` with its axes reordered: axis i of the result is axis `permutation[i]` of `base` (float32).
SourcePtr permuted(SourcePtr base, std::vector<int> permutation);
/// The same row-major values under another shape (the outermost axis may change: then it is read whole).
SourcePtr reshaped(SourcePtr base, Shape shape);
/// Elements `indices` of axis `axis` of `base`, in that order (float32).
SourcePtr taken(SourcePtr base, int axis, std::vector<std::int64_t> indices);
/// A filter's kernel positions added up: OHWI to [O, I] (float32).
SourcePtr summed_positions(SourcePtr base);
/// Columns [begin, begin + count) of `base`'s innermost axis (float32).
SourcePtr column_range(SourcePtr base, std::int64_t begin, std::int64_t count);
/// `base * factors` along the innermost axis, whose length `factors` has (float32).
SourcePtr scaled_columns(SourcePtr base, std::vector<float> factors);
/// `base * factors`, one factor for each outermost row (float32).
SourcePtr scaled_rows(SourcePtr base, std::vector<float> factors);
/// `base` less the mean of each run along the innermost axis (float32, the mean in double).
SourcePtr centered_columns(SourcePtr base);
/// `bias + weight · vector`: one value for each outermost row of `weight`, with `vector` along its innermost
/// axis and summed over the axes between. A null `bias` is zero. Runs of 256 products are summed in float,
/// these in double.
SourcePtr folded_bias(SourcePtr bias, SourcePtr weight, std::vector<float> vector);

}  // namespace sealite::graph
