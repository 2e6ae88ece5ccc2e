// read_pixels MODEL RGB WIDTH HEIGHT: the logits of raw 8-bit RGB pixels, a line each. What scripts/cross.sh
// runs on another processor: the run half and nothing else.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "sealite/detector.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: read_pixels MODEL RGB WIDTH HEIGHT\n");
    return 64;
  }
  try {
    std::ifstream file(argv[2], std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    sealite::Picture picture{std::atoll(argv[4]), std::atoll(argv[3]), {bytes.begin(), bytes.end()}};
    sealite::Detector detector(argv[1]);
    for (const float logit : detector.detect(picture).logits)
      std::printf("%.9g\n", static_cast<double>(logit));
  } catch (const sealite::Error& error) {
    std::fprintf(stderr, "read_pixels: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
