// Any logits: first a byte for the number of bits, then float32 values.
#include <cstring>
#include <vector>

#include "sealite/error.h"
#include "watermark/payload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  constexpr std::size_t kBits[] = {63, 64, 96, 128, 256};
  const std::size_t bits = kBits[data[0] % 5];
  std::vector<float> logits(1 + bits, 0.5F);
  std::memcpy(logits.data(), data + 1, std::min(size - 1, logits.size() * sizeof(float)));
  const sealite::watermark::PayloadCodec codec(bits, "key");
  if (const auto found = codec.decode(logits)) {
    // What is found encodes to what was read, up to the bits that it says it corrected.
    const auto message = codec.encode({found->kind, found->id, found->text});
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < bits; ++i) wrong += (logits[1 + i] > 0) != (message[i] != 0) ? 1U : 0U;
    if (wrong != found->corrected_bits) __builtin_trap();
  }
  return 0;
}
