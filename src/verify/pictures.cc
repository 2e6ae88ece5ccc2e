#include "verify/pictures.h"

#include <algorithm>
#include <span>

#include "base/error.h"
#include "verify/mixed_bits.h"
#include "verify/saved_tensors.h"

namespace sealite::verify {
namespace {

// Noise in octaves, each twice as fine and `roughness` as strong as the one before: like a photo's spectrum.
pixels::Planes make_picture(std::int64_t height, std::int64_t width, std::uint64_t seed, float roughness) {
  pixels::Planes picture{height, width, 3, std::vector<float>(static_cast<std::size_t>(height * width * 3))};
  float strength = 1;
  float total = 0;
  for (std::int64_t cells = 2; cells <= std::max(height, width); cells *= 2, strength *= roughness) {
    pixels::Planes grid{cells, cells, 3, std::vector<float>(static_cast<std::size_t>(cells * cells * 3))};
    for (std::size_t i = 0; i < grid.data.size(); ++i)
      grid.data[i] = static_cast<float>(mix(seed + i) & 0xFFFFU) / 65535.0F;
    const pixels::Planes octave = pixels::resize_antialiased(grid, height, width);
    for (std::size_t i = 0; i < picture.data.size(); ++i) picture.data[i] += strength * octave.data[i];
    total += strength;
    seed = mix(seed);
  }
  for (float& value : picture.data) value = std::clamp(1.6F * (value / total - 0.5F) + 0.5F, 0.0F, 1.0F);
  return picture;
}

pixels::Planes to_planes(std::span<const float> chw, std::int64_t height, std::int64_t width) {
  pixels::Planes planes{height, width, 3, std::vector<float>(chw.size())};
  const std::size_t pixels = chw.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) planes.data[i * 3 + c] = chw[c * pixels + i];
  }
  return planes;
}

void add_saved(const Examination& examination, std::vector<Picture>& pictures) {
  const SavedTensors saved(examination.options.reference);
  const checkpoint::NumpyArray images = saved.array({"images"});
  const std::int64_t count = images.shape.empty() ? 0 : images.shape[0];
  const auto [height, width] = std::pair(examination.height, examination.width);
  if (images.shape != Shape{count, 3, height, width} || count == 0) {
    fail(ErrorCode::kMismatch, "'{}': `images` is {}, the model reads [N, 3, {}, {}]", saved.path().string(),
         to_string(images.shape), height, width);
  }
  const std::size_t values = images.values.size() / static_cast<std::size_t>(count);
  const std::size_t first = pictures.size();
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    pictures.push_back({fmt::format("{}[{}]", saved.path().filename().string(), i),
                        to_planes(std::span(images.values).subspan(i * values, values), height, width),
                        {},
                        {},
                        std::nullopt});
  }
  examination.kind.read_saved(saved, std::span(pictures).subspan(first), examination.bits);
}

}  // namespace

std::vector<Picture> read_pictures(const Examination& examination) {
  const VerifyOptions& options = examination.options;
  const auto [height, width] = std::pair(examination.height, examination.width);
  std::vector<Picture> pictures;
  for (const auto& path : options.images) {
    pictures.push_back(
        {path.filename().string(),
         pixels::resize_antialiased(examination.read_picture(path, options.max_pixels).view(), height, width),
         path,
         {},
         std::nullopt});
  }
  if (!options.reference.empty()) add_saved(examination, pictures);
  if (pictures.empty()) {
    pictures.push_back({"synthetic: soft", make_picture(height, width, 1, 0.5F), {}, {}, std::nullopt});
    pictures.push_back({"synthetic: rough", make_picture(height, width, 2, 0.8F), {}, {}, std::nullopt});
  }
  examination.kind.add_messages(pictures, examination.bits);
  return pictures;
}

}  // namespace sealite::verify
