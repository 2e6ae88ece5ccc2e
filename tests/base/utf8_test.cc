#include "base/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace sealite {
namespace {

std::string encoded(std::uint32_t point, int bytes) {
  static constexpr std::uint8_t kLeads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  std::string text;
  for (int i = bytes - 1; i > 0; --i)
    text.insert(0, 1, static_cast<char>(0x80U | (point >> (6 * (bytes - 1 - i)) & 0x3FU)));
  return static_cast<char>(kLeads[bytes] | (point >> (6 * (bytes - 1)))) + text;
}

int shortest(std::uint32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

TEST(Utf8, EachCodePointHasOneForm) {
  for (std::uint32_t point = 0; point < 0x200000; ++point) {
    const bool valid = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    for (int bytes = shortest(point); bytes <= 4; ++bytes) {
      const std::string text = encoded(point, bytes) + "x";
      const std::size_t expected = valid && bytes == shortest(point) ? static_cast<std::size_t>(bytes) : 0;
      ASSERT_EQ(utf8_sequence_length(text), expected) << std::hex << point << " in " << bytes;
    }
  }
}

TEST(Utf8, CutAndStraySequencesAreNone) {
  for (const char* text : {"", "\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x92", "\xC3x", "\xFF"}) {
    EXPECT_EQ(utf8_sequence_length(text), 0U) << text;
  }
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("na\u00EFve \u20AC \U0001F480"));
  EXPECT_FALSE(is_utf8("na\xEFve"));
}

// Every code point: the controls, the ends of lines and the marks that Unicode calls Bidi_Control are not
// shown.
TEST(Utf8, WhatSteersATerminalIsNotShown) {
  const auto steers = [](std::uint32_t point) {
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x61C || point == 0x200E ||
           point == 0x200F || (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
  };
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    const std::string text = encoded(point, shortest(point));
    const bool valid = point < 0xD800 || point > 0xDFFF;
    ASSERT_EQ(shown(text), !valid ? "???" : steers(point) ? "?" : text) << std::hex << point;
  }
  EXPECT_EQ(shown("a\x1B[2J\r\nb\t\x9B\xC2"), "a?[2J??b???");
}

TEST(Utf8, ErrorMessagesCarryNoControlCharacters) {
  EXPECT_EQ(printable("a\x1B[2Jb\x7F\u009Bz\xFFz"), "a?[2Jb??z?z");
  EXPECT_EQ(printable(std::string(121, 'x')), std::string(120, 'x') + "...");
  EXPECT_EQ(printable(std::string(119, 'x') + "\u20ACx"), std::string(119, 'x') + "\u20AC...");
  EXPECT_EQ(printable(std::string(120, 'x')), std::string(120, 'x'));
}

}  // namespace
}  // namespace sealite
