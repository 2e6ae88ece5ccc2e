#include "watermark/mark.h"

#include "pixels/rgb_rows.h"
#include "watermark/blend.h"

namespace sealite::watermark {
namespace {

Picture copy_rgb(const PixelView& view) {
  const pixels::RgbRows rows(view);
  const auto row = static_cast<std::size_t>(view.width) * 3;
  Picture picture{view.height, view.width,
                  std::vector<std::uint8_t>(static_cast<std::size_t>(view.height) * row)};
  for (std::int64_t y = 0; y < view.height; ++y) {
    const auto out = std::span(picture.rgb).subspan(static_cast<std::size_t>(y) * row, row);
    const auto from = rows.row(y, out);
    if (from.data() != out.data()) std::ranges::copy(from, out.begin());
  }
  return picture;
}

}  // namespace

Marking marking_of(const model_file::EmbeddingFacts& facts) {
  return {parse_attenuation(facts.attenuation), facts.scaling_w, facts.scaling_i, false};
}

void mark(const PixelView& picture, const pixels::Planes& resized, const pixels::Planes& delta,
          const Marking& marking, const MutablePixelView& marked) {
  std::optional<Attenuation> attenuation;
  if (marking.jnd) attenuation = {*marking.jnd, marking.lowres};
  // The heat map looks at rows around the one that is marked.
  Picture before;
  PixelView source = picture;
  if (attenuation && !marking.lowres && picture.planes[0] == marked.planes[0]) {
    before = copy_rgb(picture);
    source = before.view();
  }
  BlendOptions blending;
  blending.scaling_i = static_cast<float>(marking.scaling_i);
  blending.scaling_w = static_cast<float>(marking.scaling_w);
  blend(source, Residual(source, delta, resized, attenuation), blending, marked);
}

void mark(EmbedderModel& model, const PixelView& picture, const Bits& message, const Marking& marking,
          const MutablePixelView& marked) {
  const pixels::Planes resized = pixels::resize_antialiased(picture, model.height(), model.width());
  mark(picture, resized, model.delta(resized, message), marking, marked);
}

}  // namespace sealite::watermark
