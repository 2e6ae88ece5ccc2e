#include "sealite/message.h"

#include <random>

#include "watermark/message.h"
#include "watermark/payload.h"

namespace sealite {

PayloadCapacity payload_capacity(std::size_t bits) {
  const watermark::PayloadCapacity capacity = watermark::payload_capacity(bits);
  return {capacity.id_bits, capacity.text_bytes};
}

std::string DecodedPayload::words() const {
  const auto own = kind == PayloadKind::kId ? watermark::PayloadKind::kId : watermark::PayloadKind::kText;
  return watermark::to_words({own, id, text});
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
