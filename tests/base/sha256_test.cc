#include "base/sha256.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sealite {
namespace {

std::string hex_of(std::initializer_list<std::span<const std::uint8_t>> parts) {
  std::string text;
  for (const std::uint8_t byte : sha256(parts)) text += fmt::format("{:02x}", byte);
  return text;
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// NIST's examples (FIPS 180-4, CAVP): nothing, one block, two blocks, a million letters.
TEST(Sha256, GivesTheStandardsVectors) {
  EXPECT_EQ(hex_of({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of({bytes_of("abc")}), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of({bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")}),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of({bytes_of(std::string(1'000'000, 'a'))}),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Every length around the ends of its blocks, whole and in two parts.
TEST(Sha256, PartsAreOneText) {
  const std::string text(200, 'x');
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string_view all = std::string_view(text).substr(0, size);
    for (const std::size_t cut : {std::size_t{0}, size / 3, size})
      ASSERT_EQ(hex_of({bytes_of(all.substr(0, cut)), bytes_of(all.substr(cut))}), hex_of({bytes_of(all)}));
  }
}

}  // namespace
}  // namespace sealite
