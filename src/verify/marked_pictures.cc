#include "verify/marked_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "pixels/similarity.h"
#include "watermark/mark.h"

namespace sealite::verify {
namespace {

sealite::Picture to_picture(const pixels::Planes& planes) {
  sealite::Picture picture{planes.height, planes.width, {}};
  picture.rgb.reserve(planes.data.size());
  for (const float value : planes.data)
    picture.rgb.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255.0F)));
  return picture;
}

sealite::Picture mark(const sealite::Picture& picture, const pixels::Planes& resized,
                      const std::vector<float>& delta, const watermark::Marking& marking) {
  const auto pixels = static_cast<std::size_t>(resized.height * resized.width);
  const pixels::Planes planes{resized.height, resized.width, static_cast<std::int64_t>(delta.size() / pixels),
                              delta};
  sealite::Picture marked{picture.height, picture.width, std::vector<std::uint8_t>(picture.rgb.size())};
  watermark::mark(picture.view(), resized, planes, marking, marked.mutable_view());
  return marked;
}

bool finite(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

// One picture with both deltas, in `plain`'s size.
MarkedPicture mark_both(const Picture& picture, const sealite::Picture& plain,
                        const std::vector<float>& reference, const std::vector<float>& found,
                        const watermark::Marking& marking) {
  const sealite::Picture wanted = mark(plain, picture.planes, reference, marking);
  const sealite::Picture made = mark(plain, picture.planes, found, marking);
  MarkedPicture marked;
  marked.picture = picture.name;
  marked.message = watermark::to_hex(picture.message);
  marked.height = plain.height;
  marked.width = plain.width;
  marked.model_against_reference = pixels::compare(wanted.view(), made.view()).psnr;
  marked.model_against_picture = pixels::compare(plain.view(), made.view()).psnr;
  marked.reference_against_picture = pixels::compare(plain.view(), wanted.view()).psnr;
  return marked;
}

// Of all pictures.
struct Marks {
  std::vector<MarkedPicture> pictures;
  double lowest_small =
      std::numeric_limits<double>::infinity();  // model against reference at the model's size

  double lowest(double MarkedPicture::* psnr) const { return std::ranges::min(pictures, {}, psnr).*psnr; }
};

Marks mark_all(const Examination& examination, const std::vector<Expected>& expected,
               const watermark::Marking& marking) {
  Marks marks;
  for (const auto& [index, reference] : expected) {
    const Picture& picture = examination.pictures[index];
    const std::vector<float>& found = examination.outputs[index];
    MarkedPicture marked = mark_both(picture, to_picture(picture.planes), reference, found, marking);
    marks.lowest_small = std::min(marks.lowest_small, marked.model_against_reference);
    if (!picture.file.empty())
      marked = mark_both(picture, examination.read_picture(picture.file, examination.options.max_pixels),
                         reference, found, marking);
    marks.pictures.push_back(std::move(marked));
  }
  return marks;
}

// The limits are those of marks that are hard to see. One that is louder than this (a trained mark is not; of
// random weights without attenuation it is) has errors that are louder by as much.
constexpr double kLoudMark = 25;

double at_least(const Limits& limits, double mark) {
  return limits.agreement - std::max(0.0, kLoudMark - mark);
}

std::string decibels(double psnr) {
  return std::isinf(psnr) ? std::string("they are the same pictures") : fmt::format("PSNR {:.1f} dB", psnr);
}

}  // namespace

bool check_marked_pictures(Examination& examination, const std::vector<Expected>& expected,
                           const ComparedWith& original) {
  const auto add = [&](std::string finding, std::vector<Figure> figures = {}) -> Check& {
    return add_check(examination.report, original.pictures, std::move(finding), std::move(figures));
  };
  if (!examination.marking) {
    add("Neither the model nor a card says how the delta is added to a picture.").outcome =
        CheckOutcome::kSkipped;
    return true;
  }
  const bool numbers = std::ranges::all_of(expected, [&](const Expected& one) {
    return finite(one.values) && finite(examination.outputs[one.picture]);
  });
  if (!numbers) {
    add("A delta has values that are no numbers: there is no picture.").outcome = CheckOutcome::kFail;
    return false;
  }
  Marks marks = mark_all(examination, expected, *examination.marking);
  const double against = marks.lowest(&MarkedPicture::model_against_reference);
  const double mark = marks.lowest(&MarkedPicture::reference_against_picture);
  const auto figure = [](const char* text, double psnr, std::optional<double> at_least = {}) {
    return Figure{text, psnr, "dB", {}, at_least};
  };
  const Check& check =
      add(fmt::format("{} picture{} marked with the original's delta and with the model's, 8 bits; in the "
                      "worst case {}.",
                      marks.pictures.size(), marks.pictures.size() == 1 ? "" : "s", decibels(against)),
          {figure("PSNR, model against reference (lowest)", against, at_least(examination.limits, mark)),
           figure("PSNR at the model's size, model against reference (lowest)", marks.lowest_small),
           figure("PSNR, model against the picture (lowest)",
                  marks.lowest(&MarkedPicture::model_against_picture)),
           figure("PSNR, reference against the picture (lowest)", mark)});
  const bool pass = check.outcome == CheckOutcome::kPass;
  if (examination.report.marked.empty()) examination.report.marked = std::move(marks.pictures);
  return pass;
}

}  // namespace sealite::verify
