#include "pixels/planes.h"

#include <utility>

namespace sealite::pixels {
namespace {

// [outer, inner] as [inner, outer].
std::vector<float> transposed(const std::vector<float>& values, std::size_t outer, std::size_t inner) {
  std::vector<float> result(values.size());
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < inner; ++i) result[i * outer + o] = values[o * inner + i];
  }
  return result;
}

}  // namespace

std::vector<float> in_layout(const Planes& planes, ImageLayout layout) {
  if (layout == ImageLayout::kNhwc || planes.channels == 1) return planes.data;
  const auto channels = static_cast<std::size_t>(planes.channels);
  return transposed(planes.data, planes.data.size() / channels, channels);
}

Planes from_layout(std::vector<float> values, ImageLayout layout, std::int64_t height, std::int64_t width,
                   std::int64_t channels) {
  if (layout == ImageLayout::kNchw && channels != 1)
    values = transposed(values, static_cast<std::size_t>(channels), static_cast<std::size_t>(height * width));
  return {height, width, channels, std::move(values)};
}

}  // namespace sealite::pixels
