// Any bytes as a picture, as `detect` and `embed` read it.
#include "image/picture.h"

#include "fuzz/input_file.h"
#include "sealite/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file(std::span(data, size));
  sealite::image::ReadLimits limits;
  limits.max_pixels = 1 << 16;
  try {
    const auto source = sealite::image::read_source(file.path(), limits);
    if (source.picture.rgb.size() !=
        static_cast<std::size_t>(source.picture.height * source.picture.width) * 3)
      __builtin_trap();
  } catch (const sealite::Error&) {
  }
  return 0;
}
