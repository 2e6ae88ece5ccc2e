#pragma once

#include <atomic>

#include "sealite/detector.h"
#include "watermark/detector_model.h"

namespace sealite {

struct Detector::Impl {
  Impl(Context host, watermark::DetectorModel loaded, std::string path)
      : context(std::move(host)), model(std::move(loaded)), name(std::move(path)) {}

  Context context;
  watermark::DetectorModel model;
  std::string name;
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

/// For what reads pictures from elsewhere (api/files): the public detector's own model.
struct DetectorAccess {
  static Detector::Impl& of(Detector& detector) { return *detector.impl_; }
};

/// What a model's logits say.
Detection read_message(std::vector<float> logits);

}  // namespace sealite
