#include "pixels/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/shape.h"
#include "pixels/rgb_rows.h"

namespace sealite::pixels {
namespace {

/// Output rows that one task makes; its input rows overlap the neighbours' by the filter's width only.
constexpr std::int64_t kBand = 16;

/// The inputs of one output pixel along one axis: `count` from `first`, their weights from `offset`.
struct Taps {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::size_t offset = 0;
};

struct Filter {
  std::vector<Taps> taps;  // one per output
  std::vector<float> weights;
};

/// As PyTorch rounds: adds a half and cuts, so that below zero it is another number than lround's.
std::int64_t round_half_up(double value) {
  return static_cast<std::int64_t>(value + 0.5);  // NOLINT(bugprone-incorrect-roundings): see above
}

/// PyTorch's weights, float and double mixed as there, since at large coordinates the rounding shows
/// (aten/src/ATen/native/cpu/UpSampleKernel.cpp: _compute_indices_min_size_weights_aa, bilinear).
Filter make_filter(std::int64_t in, std::int64_t out) {
  Filter filter;
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  const float support = std::max(scale, 1.0F);
  const float inverse = scale >= 1.0F ? static_cast<float>(1.0 / static_cast<double>(scale)) : 1.0F;
  const std::int64_t longest = static_cast<std::int64_t>(std::ceil(support)) * 2 + 1;
  for (std::int64_t i = 0; i < out; ++i) {
    const auto center = static_cast<float>(static_cast<double>(scale) * (static_cast<double>(i) + 0.5));
    Taps taps;
    taps.first = std::max<std::int64_t>(round_half_up(center - support), 0);
    const std::int64_t end = round_half_up(center + support);
    taps.count = std::clamp<std::int64_t>(std::min(end, in) - taps.first, 0, longest);
    taps.offset = filter.weights.size();
    float total = 0;
    for (std::int64_t j = 0; j < taps.count; ++j) {
      const double distance = static_cast<double>(static_cast<float>(j + taps.first) - center) + 0.5;
      const auto x = static_cast<float>(distance * static_cast<double>(inverse));
      const float weight = std::max(1.0F - std::abs(x), 0.0F);
      filter.weights.push_back(weight);
      total += weight;
    }
    const auto own = std::span(filter.weights).subspan(taps.offset);
    if (total != 0.0F) {
      for (float& weight : own) weight /= total;
    }
    filter.taps.push_back(taps);
  }
  return filter;
}

/// One input row, `channels` values per pixel, to one output row.
template <std::size_t kChannels>
void resize_row(std::span<const float> in, const Filter& filter, std::size_t channels, std::span<float> out) {
  const std::size_t n = kChannels != 0 ? kChannels : channels;
  float* to = out.data();
  for (const Taps& taps : filter.taps) {
    const float* weight = filter.weights.data() + taps.offset;
    const float* from = in.data() + static_cast<std::size_t>(taps.first) * n;
    for (std::size_t c = 0; c < n; ++c) to[c] = 0;
    for (std::int64_t j = 0; j < taps.count; ++j, from += n) {
      for (std::size_t c = 0; c < n; ++c) to[c] += weight[j] * from[c];
    }
    to += n;
  }
}

void resize_row(std::span<const float> in, const Filter& filter, std::size_t channels, std::span<float> out) {
  switch (channels) {
    case 1:
      return resize_row<1>(in, filter, channels, out);
    case 3:
      return resize_row<3>(in, filter, channels, out);
    default:
      return resize_row<0>(in, filter, channels, out);
  }
}

/// Rows of floats in [0, 1] from 8 bits: v / 255 in float, as torchvision's to_tensor.
class ByteRows {
 public:
  explicit ByteRows(const RgbRows& rows)
      : rows_(rows), scratch_(static_cast<std::size_t>(rows.width()) * 3), row_(scratch_.size()) {
    for (std::size_t i = 0; i < table_.size(); ++i) table_[i] = static_cast<float>(i) / 255.0F;
  }
  std::span<const float> operator()(std::int64_t y) {
    const auto bytes = rows_.row(y, scratch_);
    std::transform(bytes.begin(), bytes.end(), row_.begin(), [this](std::uint8_t v) { return table_[v]; });
    return row_;
  }

 private:
  const RgbRows& rows_;
  std::vector<std::uint8_t> scratch_;
  std::vector<float> row_;
  std::array<float, 256> table_ = {};
};

class FloatRows {
 public:
  explicit FloatRows(const Planes& planes)
      : data_(planes.data), row_(static_cast<std::size_t>(planes.width * planes.channels)) {}
  std::span<const float> operator()(std::int64_t y) const {
    return data_.subspan(static_cast<std::size_t>(y) * row_, row_);
  }

 private:
  std::span<const float> data_;
  std::size_t row_;
};

/// Adds the output rows [first, last) to `out`: each input row is resized across, then added to the rows it
/// belongs to.
template <typename Rows>
void resize_band(Rows& rows, const Filter& across, const Filter& down, std::size_t channels,
                 std::int64_t first, std::int64_t last, std::span<float> out) {
  const std::size_t row_size = across.taps.size() * channels;
  std::vector<float> row(row_size);
  const Taps& final_taps = down.taps[static_cast<std::size_t>(last - 1)];
  std::int64_t live = first;  // outputs before it are complete
  for (std::int64_t y = down.taps[static_cast<std::size_t>(first)].first;
       y < final_taps.first + final_taps.count; ++y) {
    resize_row(rows(y), across, channels, row);
    for (std::int64_t i = live; i < last; ++i) {
      const Taps& taps = down.taps[static_cast<std::size_t>(i)];
      if (taps.first > y) break;
      if (taps.first + taps.count <= y) {
        live = std::max(live, i + 1);
        continue;
      }
      const float weight = down.weights[taps.offset + static_cast<std::size_t>(y - taps.first)];
      float* to = out.data() + static_cast<std::size_t>(i - first) * row_size;
      for (std::size_t x = 0; x < row_size; ++x) to[x] += weight * row[x];
    }
  }
}

/// Coordinates are exact in float up to here.
bool is_usable(std::int64_t side) {
  return side > 0 && side <= (std::int64_t{1} << 24);
}

/// `in`: height, width, channels.
void check_input(const Shape& in, std::size_t elements) {
  const auto expected = element_count(in);
  if (!is_usable(in[0]) || !is_usable(in[1]) || in[2] <= 0 || !expected || *expected != elements) {
    fail(ErrorCode::kUsage, "resize: a picture of shape {} cannot hold {} values", to_string(in), elements);
  }
}

/// The number of values.
std::uint64_t check_size(std::int64_t height, std::int64_t width, std::int64_t channels) {
  const auto size = element_count({height, width, channels});
  if (!is_usable(height) || !is_usable(width) || !size) {
    fail(ErrorCode::kUsage, "resize: no picture of {} x {} can be made", height, width);
  }
  return *size;
}

/// All zero.
Planes make_output(std::int64_t height, std::int64_t width, std::int64_t channels) {
  const std::uint64_t size = check_size(height, width, channels);
  Planes out{height, width, channels, {}};
  try {
    out.data.resize(size);
  } catch (const std::exception&) {  // bad_alloc or length_error
    fail(ErrorCode::kNoMemory, "resize: not enough memory for {} x {} pixels", height, width);
  }
  return out;
}

/// `open_rows()` gives each task a reader of its own.
template <typename OpenRows>
void resize_into(OpenRows open_rows, std::int64_t in_height, std::int64_t in_width, Planes& out) {
  const Filter across = make_filter(in_width, out.width);
  const Filter down = make_filter(in_height, out.height);
  const auto bands = static_cast<std::size_t>((out.height + kBand - 1) / kBand);
  const auto channels = static_cast<std::size_t>(out.channels);
  const std::size_t row_size = across.taps.size() * channels;
  parallel_for(bands, [&](std::size_t band) {
    auto rows = open_rows();
    const std::int64_t first = static_cast<std::int64_t>(band) * kBand;
    const std::int64_t last = std::min(first + kBand, out.height);
    const auto strip = std::span(out.data).subspan(static_cast<std::size_t>(first) * row_size,
                                                   static_cast<std::size_t>(last - first) * row_size);
    resize_band(rows, across, down, channels, first, last, strip);
  });
}

}  // namespace

Planes resize_antialiased(const PixelView& picture, std::int64_t height, std::int64_t width) {
  const RgbRows rows(picture);
  check_size(picture.height, picture.width, 3);
  Planes out = make_output(height, width, 3);
  if (height == picture.height && width == picture.width) {
    ByteRows all(rows);
    auto to = out.data.begin();
    for (std::int64_t y = 0; y < height; ++y) {
      const auto row = all(y);
      to = std::copy(row.begin(), row.end(), to);
    }
    return out;
  }
  resize_into([&] { return ByteRows(rows); }, picture.height, picture.width, out);
  return out;
}

Planes resize_antialiased(const Planes& planes, std::int64_t height, std::int64_t width) {
  check_input({planes.height, planes.width, planes.channels}, planes.data.size());
  if (height == planes.height && width == planes.width) return planes;
  Planes out = make_output(height, width, planes.channels);
  resize_into([&] { return FloatRows(planes); }, planes.height, planes.width, out);
  return out;
}

struct RowResizer::Impl {
  Planes planes;
  Filter across;
  Filter down;
};

RowResizer::RowResizer(Planes planes, std::int64_t height, std::int64_t width) {
  check_input({planes.height, planes.width, planes.channels}, planes.data.size());
  check_size(height, width, planes.channels);
  const Filter across = make_filter(planes.width, width);
  const Filter down = make_filter(planes.height, height);
  impl_ = std::make_unique<const Impl>(Impl{std::move(planes), across, down});
}

RowResizer::~RowResizer() = default;
RowResizer::RowResizer(RowResizer&&) noexcept = default;
RowResizer& RowResizer::operator=(RowResizer&&) noexcept = default;

std::int64_t RowResizer::channels() const {
  return impl_->planes.channels;
}

void RowResizer::rows(std::int64_t first, std::int64_t last, std::span<float> out) const {
  const auto channels = static_cast<std::size_t>(impl_->planes.channels);
  const auto height = static_cast<std::int64_t>(impl_->down.taps.size());
  const std::size_t row_size = impl_->across.taps.size() * channels;
  if (first < 0 || first >= last || last > height ||
      out.size() != static_cast<std::size_t>(last - first) * row_size) {
    fail(ErrorCode::kInternal, "resize: rows {} to {} of {} into {} values", first, last, height, out.size());
  }
  std::ranges::fill(out, 0.0F);
  FloatRows in(impl_->planes);
  resize_band(in, impl_->across, impl_->down, channels, first, last, out);
}

}  // namespace sealite::pixels
