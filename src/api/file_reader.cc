#include "api/file_reader.h"

#include "image/picture.h"

namespace sealite {

pixels::PictureReader file_reader() {
  return [](const std::filesystem::path& file, std::uint64_t max_pixels) {
    return image::read_picture(file, {max_pixels});
  };
}

}  // namespace sealite
