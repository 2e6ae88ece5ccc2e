// mark_pixels RGB WIDTH HEIGHT OUT: what a page needs of the run half, with another runtime in LiteRT's
// place: an id as a message and back, and a photo marked with a delta (here a pattern). scripts/cross.sh
// compares what the browser's build says and writes with this machine's.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/error.h"
#include "watermark/mark.h"
#include "watermark/payload.h"

namespace {

using namespace sealite;

constexpr std::int64_t kSide = 256;

pixels::Planes pattern() {
  pixels::Planes delta{kSide, kSide, 1, std::vector<float>(std::size_t{kSide * kSide})};
  std::uint32_t state = 1;
  for (float& value : delta.data) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8U) / static_cast<float>(1U << 23U) - 1.0F;
  }
  return delta;
}

void send_and_receive() {
  const watermark::PayloadCodec codec(256, "key");
  watermark::Payload payload;
  payload.id = 20261128;
  const watermark::Bits bits = codec.encode(payload);
  std::vector<float> logits{0};
  for (const auto bit : bits) logits.push_back(bit != 0 ? 1.0F : -1.0F);
  for (std::size_t i = 5; i < logits.size(); i += 32) logits[i] = -logits[i];
  const auto decoded = codec.decode(logits);
  std::printf("%s %s\n", watermark::to_hex(bits).c_str(), decoded ? decoded->words().c_str() : "nothing");
}

void mark_file(char** argv) {
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const Picture picture{std::atoll(argv[3]), std::atoll(argv[2]), {bytes.begin(), bytes.end()}};
  const pixels::Planes resized = pixels::resize_antialiased(picture.view(), kSide, kSide);
  std::vector<std::uint8_t> marked(picture.rgb.size());
  const watermark::Marking marking{pixels::JndVariant{1, 1}, 2, 1, false};
  watermark::mark(picture.view(), resized, pattern(), marking,
                  {PixelFormat::kRgb, picture.width, picture.height, {marked.data()}});
  std::ofstream out(argv[4], std::ios::binary);
  for (const std::uint8_t sample : marked) out.put(static_cast<char>(sample));
  if (!out.flush()) fail(ErrorCode::kIo, "cannot write '{}'", argv[4]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: mark_pixels RGB WIDTH HEIGHT OUT\n");
    return 64;
  }
  try {
    send_and_receive();
    mark_file(argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "mark_pixels: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
