#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pixels/picture_reader.h"
#include "pixels/resize.h"
#include "sealite/image_layout.h"
#include "sealite/verify.h"
#include "verify/check_names.h"
#include "verify/limits.h"
#include "verify/model_kind.h"
#include "verify/subject.h"
#include "watermark/message.h"

namespace sealite::verify {

/// A picture to run, at the model's size, and what PyTorch made of it if that was saved.
struct Picture {
  std::string name;
  pixels::Planes planes;       ///< HWC, RGB in [0, 1]
  std::filesystem::path file;  ///< Where it is in full size; empty: synthetic, or saved at the model's size.
  watermark::Bits message;     ///< What an embedder puts in; empty for a detector.
  std::optional<std::vector<float>> saved;
};

/// What the original makes of a picture.
struct Expected {
  std::size_t picture = 0;  ///< Index in `Examination::pictures`.
  std::vector<float> values;
};

/// One run of `verify`: what is known so far, and the report that grows.
struct Examination {
  const VerifyOptions& options;
  const pixels::PictureReader& read_picture;
  Subject subject;
  const ModelKind& kind;
  const Limits& limits;
  std::optional<watermark::Marking> marking;  ///< As the model claims it, else as the original's card has it.
  std::vector<Picture> pictures;
  std::vector<std::vector<float>> outputs;  ///< Of each picture, from LiteRT with one thread.
  VerifyReport& report;

  ImageLayout layout = ImageLayout::kNchw;
  std::int64_t bits = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Appends a check to the report; it fails if a figure leaves its bounds.
Check& add_check(VerifyReport& report, const CheckName& name, std::string finding,
                 std::vector<Figure> figures = {});

/// Whether a figure keeps to its bounds. What is not a number does not.
bool within(const Figure& figure);

}  // namespace sealite::verify
