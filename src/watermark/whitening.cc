#include "watermark/whitening.h"

#include <initializer_list>

#include "base/error.h"
#include "base/sha256.h"

namespace sealite::watermark {
namespace {

using Part = std::span<const std::uint8_t>;

constexpr std::uint8_t kZero[] = {0};
constexpr std::uint8_t kWhiteningLabel[] = {'w'};
constexpr std::uint8_t kChecksumLabel[] = {'c'};

Part bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

KeyedBits::KeyedBits(std::string_view domain, std::string_view key)
    : seed_(sha256({bytes_of(domain), kZero, bytes_of(key)})) {}

Bits KeyedBits::whitening(std::size_t count) const {
  Bits bits;
  for (std::uint32_t block = 0; bits.size() < count; ++block) {
    const std::uint8_t number[] = {static_cast<std::uint8_t>(block >> 24U),
                                   static_cast<std::uint8_t>(block >> 16U),
                                   static_cast<std::uint8_t>(block >> 8U), static_cast<std::uint8_t>(block)};
    const Bits more = bits_of(sha256({seed_, kWhiteningLabel, number}));
    bits.insert(bits.end(), more.begin(), more.end());
  }
  bits.resize(count);
  return bits;
}

Bits KeyedBits::checksum(std::span<const std::uint8_t> bytes, std::size_t count) const {
  Bits bits = bits_of(sha256({seed_, kChecksumLabel, bytes}));
  if (count > bits.size())
    fail(ErrorCode::kInternal, "a checksum of {} bits, at most {}", count, bits.size());
  bits.resize(count);
  return bits;
}

Bits bits_of(std::span<const std::uint8_t> bytes) {
  Bits bits;
  for (const std::uint8_t byte : bytes) {
    for (unsigned mask = 0x80; mask != 0; mask /= 2) bits.push_back((byte & mask) != 0 ? 1 : 0);
  }
  return bits;
}

}  // namespace sealite::watermark
