#include <random>

#include "sealite/message.h"
#include "watermark/message.h"
#include "watermark/payload.h"

namespace sealite {

PayloadCapacity payload_capacity(std::size_t bits) {
  if (bits < watermark::kFewestPayloadBits || bits > watermark::kMostPayloadBits) return {};
  const std::size_t id_bits = bits < 96 ? 16 : bits < 128 ? 24 : bits < 512 ? 32 : 64;
  return {id_bits, bits / 32};
}

std::string DecodedPayload::words() const {
  return watermark::to_words({kind, id, text});
}

std::string message_hex(const std::string& words, std::size_t bits, const std::string& key) {
  return watermark::to_hex(watermark::parse_message(words, watermark::PayloadCodec(bits, key)));
}

std::string random_message_hex(std::size_t bits) {
  std::random_device device;
  watermark::Bits message(bits);
  for (std::uint8_t& bit : message) bit = static_cast<std::uint8_t>(device() & 1U);
  return watermark::to_hex(message);
}

}  // namespace sealite
