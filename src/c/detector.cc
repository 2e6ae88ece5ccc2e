#include "sealite/detector.h"

#include <algorithm>

#include "c/guard.h"
#include "c/handles.h"
#include "c/model.h"
#include "c/views.h"

namespace sealite::c {
namespace {

int open_detector(const sealite_context* context, const sealite_model_options* options,
                  sealite_detector** detector, const SourceMaker& source) noexcept {
  return guarded([&] {
    open_handle(detector, "detector", [&] {
      const sealite_model_options given = known_options(options, "options");
      const DetectorOptions own{context_of(context), number_of(given.inference_threads, "inference_threads")};
      return sealite_detector{Detector(source(), own)};
    });
  });
}

// Before the model runs, so that a buffer that is too small costs nothing.
void check_buffers(sealite_detection* detection, std::size_t bits) {
  const sealite_detection given = known(detection, "detection");
  detection->logits_count = bits + 1;
  detection->message_size = hex_size(bits);
  is_wanted(given.logits, given.logits_capacity, bits + 1, "logits");
  is_wanted(given.message, given.message_capacity, hex_size(bits), "message");
}

void put_detection(const Detection& found, sealite_detection& detection) {
  detection.ones = found.ones;
  if (detection.logits != nullptr) std::ranges::copy(found.logits, detection.logits);
  put_text(found.message, detection.message, detection.message_capacity, "message");
}

}  // namespace
}  // namespace sealite::c

using namespace sealite::c;

int sealite_detector_open(const sealite_context* context, const char* path,
                          const sealite_model_options* options, sealite_detector** detector) {
  return open_detector(context, options, detector, [&] { return source_of(path); });
}

int sealite_detector_open_bytes(const sealite_context* context, const void* bytes, size_t size,
                                const sealite_model_options* options, sealite_detector** detector) {
  return open_detector(context, options, detector, [&] { return source_of(bytes, size); });
}

int sealite_detector_open_fd(const sealite_context* context, int descriptor,
                             const sealite_model_options* options, sealite_detector** detector) {
  return open_detector(context, options, detector,
                       [&] { return sealite::ModelSource::from_descriptor(descriptor); });
}

void sealite_detector_close(sealite_detector* detector) {
  close_handle(detector);
}

int sealite_detector_info(const sealite_detector* detector, sealite_model_info* info) {
  return guarded([&] {
    require(detector, "detector");
    put_info(detector->detector, info);
  });
}

int sealite_detect(sealite_detector* detector, const sealite_pixels* picture, sealite_detection* detection) {
  return guarded([&] {
    require(detector, "detector");
    check_buffers(detection, detector->detector.bits());
    put_detection(detector->detector.detect(view_of(picture, "picture")), *detection);
  });
}

int sealite_detect_batch(sealite_detector* detector, const sealite_pixels* const* pictures, size_t count,
                         sealite_detection* const* detections) {
  return guarded([&] {
    require(detector, "detector");
    const auto wanted = array_of(detections, count, "detections");
    for (sealite_detection* const detection : wanted) check_buffers(detection, detector->detector.bits());
    const std::vector<sealite::PixelView> views = views_of(pictures, count, "pictures");
    const std::vector<sealite::Detection> found = detector->detector.detect(views);
    for (std::size_t i = 0; i < count; ++i) put_detection(found[i], *wanted[i]);
  });
}
