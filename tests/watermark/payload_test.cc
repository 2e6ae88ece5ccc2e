#include "watermark/payload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "expect_error.h"

namespace sealite::watermark {
namespace {

Payload id_of(std::uint64_t id) {
  return {PayloadKind::kId, id, ""};
}

Payload text_of(std::string text) {
  return {PayloadKind::kText, 0, std::move(text)};
}

std::vector<float> clean_logits(const Bits& message) {
  std::vector<float> logits{0};
  for (const std::uint8_t bit : message) logits.push_back(bit != 0 ? 1.0F : -1.0F);
  return logits;
}

std::vector<float> noisy_logits(const Bits& message, float deviation, std::mt19937& random) {
  std::normal_distribution<float> noise(0, deviation);
  std::vector<float> logits = clean_logits(message);
  for (float& logit : logits) logit += noise(random);
  return logits;
}

std::size_t wrong_bits(const std::vector<float>& logits, const Bits& message) {
  const Bits read = bits_from_logits(logits);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < read.size(); ++i) wrong += read[i] != message[i] ? 1U : 0U;
  return wrong;
}

Payload payload_of(const DecodedPayload& found) {
  return {found.kind, found.id, found.text};
}

// What the Python program in docs/payload.md prints: the format of version 1 must not change.
struct Vector {
  std::size_t bits;
  const char* key;
  const char* words;
  const char* message;
};

void PrintTo(const Vector& vector, std::ostream* out) {
  *out << vector.bits << " bits " << vector.words;
}

class PayloadVectors : public ::testing::TestWithParam<Vector> {};

TEST_P(PayloadVectors, AreKept) {
  const Vector& vector = GetParam();
  const PayloadCodec codec(vector.bits, vector.key);
  const Bits message = parse_message(vector.words, codec);
  EXPECT_EQ(to_hex(message), vector.message);
  const auto found = codec.decode(clean_logits(message));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->words(), vector.words);
  EXPECT_EQ(found->version, 1U);
  EXPECT_EQ(found->corrected_bits, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Docs, PayloadVectors,
    ::testing::Values(
        Vector{64, "", "id:1234", "d26582188e449888"}, Vector{64, "my key", "id:1234", "77a883c18edbe5f7"},
        Vector{64, "", "text:Hi", "c12b3748ecc39b6a"}, Vector{96, "", "id:1234", "670b7051caa8b370affd73a6"},
        Vector{96, "", "text:n\xC3\xA9", "e5a5bce5bcb7c126e4d22d4d"},
        Vector{100, "", "id:1234", "d680524e29ebe57358aa734f2"},
        Vector{256, "", "id:1234", "1b34d92620bd5fb7b8a8fb352ab68c9e5bb7dbe20ca7baff10cbd395c9d3c9f3"},
        Vector{256, "my key", "id:1234", "7c73499943fc240477576ec99d6108515be9b6245ca4e631777198fc97f3123b"},
        Vector{256, "", "text:Sealite", "ddd0111ab920148fedbb762b635ed3732164a68b19ef07ba7181412a7ccc840f"},
        Vector{
            1024, "", "id:81985529216486895",
            "87718b1f4ca33d1248c241c87ea74fce547ae2ebaad5c0cb751c102b8d3585c122ed493462f40d56564672157041af37"
            "98ee20139cacdd70287002ce9a5abb2fdb671165b0f2942b6d996a1d8d953a72bc4adc848c2f562f78c8a18179334ec9"
            "db40fa44b997d32149057d8e59a0ed0168e77a60ed5c5f5bfdca047833e5d4b9"},
        Vector{
            1024, "my key", "text:32 bytes of text fill 1024 bits.",
            "165d2ba76fee3df494a5d41416bce803c69f1ef501790ee222eda48ead0148f1445ecb057eca21786338f06bf79b3c2a"
            "983511793d41298bc24b75f6b965417833fc9574fab186c5ed530261b7de146a7b5134e8d8da1b2f98177ae559ec1fe7"
            "fa91d0d014cd55176fae4d8a1627de2a1d6bfdda2a7891ee42c99e6381fe01b7"}));

// FNV-1a over the messages of every length, from the same Python program.
TEST(Payload, EveryLengthIsAsDocumented) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (std::size_t bits = 64; bits <= 1024; ++bits) {
    for (const std::string& hex : {to_hex(PayloadCodec(bits, "").encode(id_of(bits))),
                                   to_hex(PayloadCodec(bits, "my key").encode(text_of("\xC3\xA9")))}) {
      for (const char digit : hex) hash = (hash ^ static_cast<std::uint8_t>(digit)) * 0x100000001B3;
    }
  }
  EXPECT_EQ(hash, 0x1F71246685A55DD1U);
}

// Ids at every length (the quicker to decode), texts at every 31st; 4 % of the bits wrong.
TEST(Payload, ComesBackAtEveryLength) {
  std::mt19937 random(1);
  for (std::size_t bits = 64; bits <= 1024; ++bits) {
    const PayloadCapacity capacity = payload_capacity(bits);
    const PayloadCodec codec(bits, "key");
    std::vector<Payload> payloads{id_of(~std::uint64_t{0} >> (64 - capacity.id_bits))};
    if (bits % 31 == 2) payloads.push_back(text_of(std::string(capacity.text_bytes, 'x')));
    for (const Payload& payload : payloads) {
      const Bits message = codec.encode(payload);
      ASSERT_EQ(message.size(), bits);
      const std::vector<float> logits = noisy_logits(message, 0.57F, random);
      const auto found = codec.decode(logits);
      ASSERT_TRUE(found) << bits << " " << to_words(payload);
      EXPECT_EQ(payload_of(*found), payload);
      EXPECT_EQ(found->corrected_bits, wrong_bits(logits, message));
      EXPECT_LT(found->log10_false_positive, -6);
    }
  }
}

TEST(Payload, CapacityGrowsAndEndsOutside64To1024) {
  for (const std::size_t bits : {0U, 1U, 32U, 63U, 1025U, 4096U}) {
    EXPECT_EQ(payload_capacity(bits).id_bits, 0U);
    EXPECT_EQ(payload_capacity(bits).text_bytes, 0U);
    const PayloadCodec codec(bits, "");
    EXPECT_FALSE(codec.decode(std::vector<float>(bits + 1, 1.0F)));
    expect_error(ErrorCode::kUsage, {"raw bits only", "64 to 1024", std::to_string(bits)},
                 [&] { codec.encode(id_of(1)); });
  }
  for (std::size_t bits = 65; bits <= 1024; ++bits) {
    EXPECT_GE(payload_capacity(bits).id_bits, payload_capacity(bits - 1).id_bits);
    EXPECT_GE(payload_capacity(bits).text_bytes, payload_capacity(bits - 1).text_bytes);
  }
  EXPECT_EQ(payload_capacity(64).id_bits, 16U);
  EXPECT_EQ(payload_capacity(96).id_bits, 24U);
  EXPECT_EQ(payload_capacity(256).id_bits, 32U);
  EXPECT_EQ(payload_capacity(1024).id_bits, 64U);
  EXPECT_EQ(payload_capacity(1024).text_bytes, 32U);
}

TEST(Payload, RefusesWhatDoesNotFit) {
  const PayloadCodec codec(64, "");
  codec.encode(id_of(65535));
  codec.encode(text_of("ab"));
  expect_error(ErrorCode::kUsage, {"id 65536", "16 bits", "65535"}, [&] { codec.encode(id_of(65536)); });
  expect_error(ErrorCode::kUsage, {"3 bytes", "at most 2"}, [&] { codec.encode(text_of("abc")); });
  expect_error(ErrorCode::kUsage, {"empty", "1 to 2"}, [&] { codec.encode(text_of("")); });
  const PayloadCodec large(1024, "");
  large.encode(id_of(~std::uint64_t{0}));
  for (const std::string& bad : {std::string("a\0b", 3), std::string("\xC3"), std::string("\xED\xA0\x80")})
    expect_error(ErrorCode::kUsage, {"UTF-8"}, [&] { large.encode(text_of(bad)); });
}

TEST(Payload, AnotherKeyOrLengthReadsNothing) {
  for (const std::size_t bits : {64U, 96U, 256U, 1024U}) {
    const Bits message = PayloadCodec(bits, "right").encode(id_of(7));
    for (const char* key : {"", "wrong", "right ", "Right"})
      EXPECT_FALSE(PayloadCodec(bits, key).decode(clean_logits(message))) << bits << " " << key;
  }
  Bits message = PayloadCodec(256, "").encode(id_of(7));
  message.push_back(0);
  EXPECT_FALSE(PayloadCodec(257, "").decode(clean_logits(message)));
  expect_error(ErrorCode::kInternal, {"3 logits"},
               [] { PayloadCodec(64, "").decode(std::vector<float>{1, 2, 3}); });
}

TEST(Payload, NothingInLogitsWithoutAMark) {
  std::mt19937 random(2);
  for (const std::size_t bits : {64U, 96U, 256U}) {
    const PayloadCodec codec(bits, "");
    for (int round = 0; round < 200; ++round)
      EXPECT_FALSE(codec.decode(noisy_logits(Bits(bits, static_cast<std::uint8_t>(round % 2)), 2, random)));
  }
}

TEST(Payload, StrangeLogits) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const std::size_t bits : {64U, 200U, 1024U}) {
    const PayloadCodec codec(bits, "");
    for (const float value : {0.0F, 1.0F, -1.0F, kNan, kInfinity, -kInfinity, 1e-45F})
      EXPECT_FALSE(codec.decode(std::vector<float>(bits + 1, value))) << bits << " " << value;
    // A few broken logits are errors like others.
    const Bits message = codec.encode(id_of(99));
    std::vector<float> logits = clean_logits(message);
    logits[0] = kNan;
    logits[7] = kNan;
    logits[9] = -kInfinity * logits[9];
    logits[11] = 0;
    const auto found = codec.decode(logits);
    ASSERT_TRUE(found) << bits;
    EXPECT_EQ(payload_of(*found), id_of(99));
    EXPECT_EQ(found->corrected_bits, wrong_bits(logits, message));
  }
}

// The scale of the logits, and that of the noise in them, decides nothing by itself.
TEST(Payload, SoftDecisionsHelp) {
  std::mt19937 random(3);
  const PayloadCodec codec(96, "");
  int soft = 0;
  int hard = 0;
  for (int round = 0; round < 40; ++round) {
    const Bits message = codec.encode(id_of(random() & 0xFFFFFFU));
    std::vector<float> logits = noisy_logits(message, 0.78F, random);  // 10 % errors
    soft += codec.decode(logits) ? 1 : 0;
    for (float& logit : logits) logit = logit > 0 ? 1e-3F : -1e-3F;
    hard += codec.decode(logits) ? 1 : 0;
  }
  EXPECT_GE(soft, 38);
  EXPECT_LT(hard, soft);
}

TEST(Payload, FalsePositiveProbabilityIsAgreementTimesPayloads) {
  const PayloadCodec codec(256, "");
  Bits message = codec.encode(id_of(5));
  // All agree: 2^-256, times 2^32 ids, times 2 kinds.
  EXPECT_NEAR(codec.decode(clean_logits(message))->log10_false_positive, -223 * std::log10(2.0), 1e-4);
  message[100] ^= 1U;
  const auto found = codec.decode(clean_logits(message));
  EXPECT_EQ(found->corrected_bits, 1U);
  EXPECT_NEAR(found->log10_false_positive, std::log10(257) - 223 * std::log10(2.0), 1e-4);
}

// 64 bits, 7 errors of equal weight: P = 2^17 * 2^-64 * 697,000,000 = 5e-6: too likely to be chance.
TEST(Payload, WeakAgreementIsNoPayload) {
  const PayloadCodec codec(64, "");
  const Bits message = codec.encode(id_of(5));
  for (const std::size_t errors : {5U, 6U, 7U}) {
    Bits damaged = message;
    for (std::size_t i = 0; i < errors; ++i) damaged[i * 9] ^= 1U;
    const auto found = codec.decode(clean_logits(damaged));
    if (errors == 7) {
      EXPECT_FALSE(found);
    } else if (found) {  // the list may have missed it, but not invented another
      EXPECT_EQ(payload_of(*found), id_of(5));
      EXPECT_LE(found->log10_false_positive, -6);
    }
  }
}

TEST(Payload, WhiteningLooksLikeCoinFlips) {
  std::size_t ones = 0;
  std::size_t equal = 0;
  const Bits plain = PayloadCodec(1024, "").encode(id_of(0));
  const Bits keyed = PayloadCodec(1024, "k").encode(id_of(0));
  for (std::size_t i = 0; i < 1024; ++i) {
    ones += plain[i];
    equal += plain[i] == keyed[i] ? 1U : 0U;
  }
  EXPECT_NEAR(static_cast<double>(ones), 512, 80);  // five deviations
  EXPECT_NEAR(static_cast<double>(equal), 512, 80);
}

TEST(PayloadWords, BothKindsAndHexadecimal) {
  EXPECT_EQ(parse_payload("id:0"), id_of(0));
  EXPECT_EQ(parse_payload("id:0xfF"), id_of(255));
  EXPECT_EQ(parse_payload("id:18446744073709551615"), id_of(~std::uint64_t{0}));
  EXPECT_EQ(parse_payload("text:a b:c "), text_of("a b:c "));
  EXPECT_EQ(parse_payload("text:"), text_of(""));
  EXPECT_FALSE(parse_payload("0123"));
  EXPECT_FALSE(parse_payload("ID:3"));
  for (const char* bad : {"id:", "id:-1", "id:+1", "id: 1", "id:1 ", "id:1x", "id:0x", "id:0xg", "id:1.5",
                          "id:18446744073709551616"}) {
    expect_error(ErrorCode::kUsage, {bad, "number from 0"}, [&] { parse_payload(bad); });
  }
  const PayloadCodec codec(64, "");
  EXPECT_EQ(to_hex(parse_message("0123456789ABCDEF", codec)), "0123456789abcdef");
  EXPECT_EQ(parse_message("id:3", codec), codec.encode(id_of(3)));
  expect_error(ErrorCode::kUsage, {"16 hexadecimal digits"}, [&] { parse_message("012", codec); });
  EXPECT_EQ(to_hex(parse_message("1f", PayloadCodec(8, ""))), "1f");
}

}  // namespace
}  // namespace sealite::watermark
