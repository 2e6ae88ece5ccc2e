#include "verify/pictures.h"

#include <algorithm>
#include <span>

#include "base/error.h"
#include "checkpoint/numpy.h"
#include "image/picture.h"

namespace sealite::verify {
namespace {

using checkpoint::NumpyArray;

// SplitMix64's finaliser.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

// Noise in octaves, each twice as fine and `roughness` as strong as the one before: like a photo's spectrum.
image::Planes make_picture(std::int64_t height, std::int64_t width, std::uint64_t seed, float roughness) {
  image::Planes picture{height, width, 3, std::vector<float>(static_cast<std::size_t>(height * width * 3))};
  float strength = 1;
  float total = 0;
  for (std::int64_t cells = 2; cells <= std::max(height, width); cells *= 2, strength *= roughness) {
    image::Planes grid{cells, cells, 3, std::vector<float>(static_cast<std::size_t>(cells * cells * 3))};
    for (std::size_t i = 0; i < grid.data.size(); ++i)
      grid.data[i] = static_cast<float>(mix(seed + i) & 0xFFFFU) / 65535.0F;
    const image::Planes octave = image::resize_antialiased(grid, height, width);
    for (std::size_t i = 0; i < picture.data.size(); ++i) picture.data[i] += strength * octave.data[i];
    total += strength;
    seed = mix(seed);
  }
  for (float& value : picture.data) value = std::clamp(1.6F * (value / total - 0.5F) + 0.5F, 0.0F, 1.0F);
  return picture;
}

NumpyArray read_array(const std::filesystem::path& path, const std::string& name) {
  auto array = checkpoint::read_numpy(path, name);
  if (array) return std::move(*array);
  fail(ErrorCode::kUsage,
       "'{}' holds no array '{}'; save both with numpy.savez(\"reference.npz\", images=x.numpy(), "
       "logits=y.numpy()), x [N,3,H,W] in [0,1]",
       path.string(), name);
}

image::Planes to_planes(std::span<const float> chw, std::int64_t height, std::int64_t width) {
  image::Planes planes{height, width, 3, std::vector<float>(chw.size())};
  const std::size_t pixels = chw.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) planes.data[i * 3 + c] = chw[c * pixels + i];
  }
  return planes;
}

void add_saved(std::vector<Picture>& pictures, const std::filesystem::path& path, std::int64_t height,
               std::int64_t width) {
  const NumpyArray images = read_array(path, "images");
  const NumpyArray logits = read_array(path, "logits");
  const std::int64_t count = images.shape.empty() ? 0 : images.shape[0];
  if (images.shape != Shape{count, 3, height, width} || count == 0) {
    fail(ErrorCode::kMismatch, "'{}': `images` is {}, the model reads [N, 3, {}, {}]", path.string(),
         to_string(images.shape), height, width);
  }
  if (logits.shape.size() != 2 || logits.shape[0] != count || logits.shape[1] < 2) {
    fail(ErrorCode::kMismatch, "'{}': `logits` is {}, expected [{}, 1 + bits]", path.string(),
         to_string(logits.shape), count);
  }
  const std::size_t values = images.values.size() / static_cast<std::size_t>(count);
  const auto columns = static_cast<std::size_t>(logits.shape[1]);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    Picture picture;
    picture.name = fmt::format("{}[{}]", path.filename().string(), i);
    picture.planes = to_planes(std::span(images.values).subspan(i * values, values), height, width);
    const auto first = logits.values.begin() + static_cast<std::ptrdiff_t>(i * columns);
    picture.saved.emplace(first, first + static_cast<std::ptrdiff_t>(columns));
    pictures.push_back(std::move(picture));
  }
}

}  // namespace

std::vector<Picture> read_pictures(const VerifyOptions& options, std::int64_t height, std::int64_t width) {
  std::vector<Picture> pictures;
  for (const auto& path : options.images) {
    pictures.push_back({path.filename().string(),
                        image::resize_antialiased(image::read_picture(path), height, width), std::nullopt});
  }
  if (!options.reference.empty()) add_saved(pictures, options.reference, height, width);
  if (!pictures.empty()) return pictures;
  pictures.push_back({"made: soft", make_picture(height, width, 1, 0.5F), std::nullopt});
  pictures.push_back({"made: rough", make_picture(height, width, 2, 0.8F), std::nullopt});
  return pictures;
}

}  // namespace sealite::verify
