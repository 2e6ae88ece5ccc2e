#include "quantize/parameters.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/parallel.h"
#include "quantize/row_kernels.h"

namespace sealite::quantize {
namespace {

using graph::Rows;
using graph::Source;
using graph::SourcePtr;

constexpr std::uint64_t kBlockBytes = std::uint64_t{2} << 20U;

std::size_t to_size(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

// Reads a block of rows into a buffer, or takes it where it lies, and hands each row on. The buffer is no
// thread_local: the C library ends the process when there is no memory for a destructor's entry.
template <typename Body>
void for_rows(const Source& source, Rows rows, Body body) {
  std::unique_ptr<float[]> buffer;
  const std::size_t per_row = source.elements_per_row();
  const ByteView in_place = source.view(rows);
  const float* values = reinterpret_cast<const float*>(in_place.data());
  if (in_place.empty()) {
    const std::size_t count = to_size(rows.end - rows.begin) * per_row;
    buffer = std::make_unique_for_overwrite<float[]>(count);
    source.read(rows, std::as_writable_bytes(std::span(buffer.get(), count)));
    values = buffer.get();
  }
  for (std::int64_t row = rows.begin; row < rows.end; ++row, values += per_row)
    body(row, std::span(values, per_row));
  source.release(rows);
}

float row_scale(std::span<const float> row, float largest, std::int32_t limit, ScaleSearch search) {
  if (largest == 0) return 1;
  const float full = largest / static_cast<float>(limit);
  if (search == ScaleSearch::kMaxAbs) return full;
  // Clipping helps most at few bits: down to half of the range at 4 bits, hardly at all at 8.
  constexpr int kSteps = 20;
  const float reach = limit > 7 ? 0.25F : 0.5F;
  float best = full;
  float least = squared_error(row, full, limit);
  for (int step = 1; step <= kSteps; ++step) {
    const float scale = full * (1.0F - reach * static_cast<float>(step) / kSteps);
    const float error = squared_error(row, scale, limit);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

void check_range(const std::string& name, std::int64_t row, float largest, WeightFormat format) {
  constexpr float kLargestHalf = 65504.0F;
  if (!std::isfinite(largest)) {
    fail(ErrorCode::kMalformed,
         "weight '{}' has NaN or infinite values in output channel {}: it cannot be quantised", name, row);
  }
  if (format == WeightFormat::kFloat16 && largest > kLargestHalf) {
    fail(ErrorCode::kMalformed,
         "weight '{}' has {} in output channel {}, beyond float16's 65504; leave the layer in float32 "
         "with --keep",
         name, largest, row);
  }
}

// A filter's row holds its kernel positions one after another, each with all input channels.
std::vector<float> repeated(const std::vector<float>& values, std::size_t length) {
  std::vector<float> result;
  if (values.empty()) return result;
  while (result.size() < length) result.insert(result.end(), values.begin(), values.end());
  return result;
}

class QuantizedInt8 : public Source {
 public:
  QuantizedInt8(SourcePtr weights, std::vector<float> scales)
      : Source(DType::kInt8, weights->shape()), weights_(std::move(weights)), scales_(std::move(scales)) {}

  void read(Rows rows, MutableByteView out) const override {
    const std::size_t per_row = elements_per_row();
    auto* to = reinterpret_cast<std::int8_t*>(out.data());
    for_rows(*weights_, rows, [&](std::int64_t row, std::span<const float> values) {
      quantize_row(values, 1.0F / scales_[to_size(row)], integer_limit(type()), {to, per_row});
      to += per_row;
    });
  }

 private:
  SourcePtr weights_;
  std::vector<float> scales_;
};

// Two signed nibbles a byte, the first one low.
void pack_nibbles(std::span<const std::int8_t> integers, std::byte* to) {
  for (std::size_t i = 0; i < integers.size(); i += 2) {
    *to++ = static_cast<std::byte>((integers[i] & 15) | ((integers[i + 1] & 15) << 4));
  }
}

class QuantizedInt4 : public Source {
 public:
  QuantizedInt4(SourcePtr weights, std::vector<float> scales)
      : Source(DType::kInt4, weights->shape()), weights_(std::move(weights)), scales_(std::move(scales)) {}

  void read(Rows rows, MutableByteView out) const override {
    std::vector<std::int8_t> integers(elements_per_row());
    std::byte* to = out.data();
    for_rows(*weights_, rows, [&](std::int64_t row, std::span<const float> values) {
      quantize_row(values, 1.0F / scales_[to_size(row)], integer_limit(type()), integers);
      pack_nibbles(integers, to);
      to += bytes_per_row();
    });
  }

 private:
  SourcePtr weights_;
  std::vector<float> scales_;
};

class LiteralIntegers : public Source {
 public:
  LiteralIntegers(DType type, Shape shape, std::vector<std::int8_t> integers)
      : Source(type, std::move(shape)), integers_(std::move(integers)) {}

  void read(Rows rows, MutableByteView out) const override {
    const std::size_t per_row = elements_per_row();
    const auto wanted =
        std::span(integers_).subspan(to_size(rows.begin) * per_row, to_size(rows.end - rows.begin) * per_row);
    if (type() == DType::kInt4) {
      pack_nibbles(wanted, out.data());
    } else {
      std::ranges::copy(std::as_bytes(wanted), out.begin());
    }
  }

 private:
  std::vector<std::int8_t> integers_;
};

class Halved : public Source {
 public:
  explicit Halved(SourcePtr weights)
      : Source(DType::kFloat16, weights->shape()), weights_(std::move(weights)) {}

  void read(Rows rows, MutableByteView out) const override {
    const std::size_t per_row = elements_per_row();
    auto* to = reinterpret_cast<std::uint16_t*>(out.data());
    for_rows(*weights_, rows, [&](std::int64_t, std::span<const float> values) {
      to_half_row(values, {to, per_row});
      to += per_row;
    });
  }

 private:
  SourcePtr weights_;
};

}  // namespace

RowScan scan_rows(const std::string& name, const Source& weights, WeightFormat format, ScaleSearch search,
                  const Moments& input) {
  const std::int64_t count = weights.row_count();
  const auto step =
      static_cast<std::int64_t>(std::max<std::uint64_t>(1, kBlockBytes / weights.bytes_per_row()));
  const std::vector<float> means = repeated(input.mean, weights.elements_per_row());
  const std::vector<float> variances = repeated(input.variance, weights.elements_per_row());
  RowScan scan;
  scan.scales.resize(to_size(count), 1.0F);
  for (auto* list : {&scan.sums, &scan.squares, &scan.shifts}) list->resize(to_size(count));
  parallel_for(to_size((count + step - 1) / step), [&](std::size_t block) {
    const std::int64_t first = static_cast<std::int64_t>(block) * step;
    for_rows(weights, {first, std::min(first + step, count)},
             [&](std::int64_t row, std::span<const float> values) {
               const std::size_t i = to_size(row);
               scan.sums[i] = weighted_sum(values, means);
               scan.squares[i] = weighted_squares(values, variances);
               if (format == WeightFormat::kFloat32) return;
               const float largest = max_abs(values);
               check_range(name, row, largest, format);
               if (format == WeightFormat::kFloat16) {
                 scan.shifts[i] = half_rounding_shift(values, means);
                 return;
               }
               const std::int32_t limit =
                   integer_limit(format == WeightFormat::kInt4 ? DType::kInt4 : DType::kInt8);
               scan.scales[i] = row_scale(values, largest, limit, search);
               scan.shifts[i] = rounding_shift(values, scan.scales[i], limit, means);
             });
  });
  return scan;
}

SourcePtr quantized_int8(SourcePtr weights, std::vector<float> scales) {
  return std::make_shared<QuantizedInt8>(std::move(weights), std::move(scales));
}

SourcePtr quantized_int4(SourcePtr weights, std::vector<float> scales) {
  return std::make_shared<QuantizedInt4>(std::move(weights), std::move(scales));
}

SourcePtr literal_integers(DType type, Shape shape, std::vector<std::int8_t> integers) {
  return std::make_shared<LiteralIntegers>(type, std::move(shape), std::move(integers));
}

SourcePtr halved(SourcePtr weights) {
  return std::make_shared<Halved>(std::move(weights));
}

}  // namespace sealite::quantize
