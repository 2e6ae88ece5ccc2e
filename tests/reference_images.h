#pragma once

#include "fixture_files.h"
#include "npy.h"

namespace sealite {

/// The pictures [4,3,256,256] in [0,1] that the detectors of tests/reference were run on.
inline Npy images_256() {
  Npy images = read_npy(fixture("images_256.npy"));
  for (float& value : images.values) value /= 255;
  return images;
}

/// The pictures [4,3,64,64] in [0,1] that the embedders, and both networks of assets/demo.pth, were run on.
inline Npy images_64() {
  return read_npy(fixture("images_64.npy"));
}

/// Those of NAME.detector_logits.npy.
inline Npy detector_images(const std::string& name) {
  return name == "demo" ? images_64() : images_256();
}

}  // namespace sealite
