#include <array>
#include <thread>

#include "c/handle.h"

namespace sealite {
namespace {

// Logits that say these bits, with column 0 in front.
std::vector<float> logits_of(const std::string& hex) {
  std::vector<float> logits{0};
  for (const char digit : hex) {
    const int value = std::stoi(std::string(1, digit), nullptr, 16);
    for (int bit = 3; bit >= 0; --bit) logits.push_back((value >> bit & 1) != 0 ? 4.0F : -4.0F);
  }
  return logits;
}

TEST(CMessage, HexadecimalGoesIntoTheCallersBuffer) {
  std::size_t needed = 0;
  ASSERT_TRUE(succeeds(sealite_message_hex("CD750D7D", 32, nullptr, nullptr, 0, &needed)));
  EXPECT_EQ(needed, 9U);
  std::array<char, 9> buffer{};
  ASSERT_TRUE(succeeds(sealite_message_hex("CD750D7D", 32, nullptr, buffer.data(), buffer.size(), &needed)));
  EXPECT_STREQ(buffer.data(), "cd750d7d");
}

TEST(CMessage, ABufferThatIsTooSmallIsNotWrittenTo) {
  std::size_t needed = 0;
  std::array<char, 8> buffer{'#'};
  EXPECT_TRUE(fails(sealite_message_hex("CD750D7D", 32, nullptr, buffer.data(), buffer.size(), &needed),
                    SEALITE_USAGE, "room for 8, 9 are needed"));
  EXPECT_EQ(needed, 9U);
  EXPECT_EQ(buffer[0], '#');
  EXPECT_TRUE(
      fails(sealite_message_hex("CD750D7D", 32, nullptr, nullptr, 9, &needed), SEALITE_USAGE, "'buffer'"));
}

TEST(CMessage, NullPointersAndWrongNumbersAreErrors) {
  std::size_t needed = 0;
  EXPECT_TRUE(
      fails(sealite_message_hex(nullptr, 32, nullptr, nullptr, 0, &needed), SEALITE_USAGE, "'words'"));
  EXPECT_TRUE(fails(sealite_message_hex("ff", 8, nullptr, nullptr, 0, nullptr), SEALITE_USAGE, "'needed'"));
  EXPECT_TRUE(fails(sealite_message_hex("ff", 16, nullptr, nullptr, 0, &needed), SEALITE_USAGE, "16"));
  EXPECT_TRUE(
      fails(sealite_random_message_hex(SIZE_MAX, nullptr, 0, &needed), SEALITE_USAGE, "expected 1 to"));
  auto match = sized<sealite_message_match>();
  EXPECT_TRUE(fails(sealite_match(nullptr, 33, "ff", nullptr, &match), SEALITE_USAGE, "'logits'"));
  const std::vector<float> one{0};
  EXPECT_TRUE(fails(sealite_match(one.data(), 0, "ff", nullptr, &match), SEALITE_USAGE, "'bits'"));
  EXPECT_TRUE(fails(sealite_match(one.data(), 1, "ff", nullptr, &match), SEALITE_USAGE, "'bits'"));
}

TEST(CMessage, RandomMessagesHaveTheModelsLength) {
  std::array<char, 26> first{};
  std::array<char, 26> second{};
  std::size_t needed = 0;
  ASSERT_TRUE(succeeds(sealite_random_message_hex(100, first.data(), first.size(), &needed)));
  ASSERT_TRUE(succeeds(sealite_random_message_hex(100, second.data(), second.size(), &needed)));
  EXPECT_EQ(needed, 26U);
  EXPECT_EQ(std::string(first.data()).size(), 25U);
  EXPECT_STRNE(first.data(), second.data());
}

TEST(CMessage, APayloadComesBack) {
  std::size_t id_bits = 0;
  std::size_t text_bytes = 0;
  ASSERT_TRUE(succeeds(sealite_payload_capacity(256, &id_bits, &text_bytes)));
  EXPECT_EQ(id_bits, 32U);
  EXPECT_EQ(text_bytes, 8U);

  std::array<char, 65> hex{};
  std::size_t needed = 0;
  ASSERT_TRUE(succeeds(sealite_message_hex("text:caf\xC3\xA9", 256, "key", hex.data(), hex.size(), &needed)));
  const std::vector<float> logits = logits_of(hex.data());
  std::array<char, 6> text{};
  auto payload = sized<sealite_payload>();
  payload.text = text.data();
  payload.text_capacity = text.size();
  ASSERT_TRUE(succeeds(sealite_payload_decode(logits.data(), logits.size(), "key", &payload)));
  EXPECT_EQ(payload.kind, SEALITE_PAYLOAD_TEXT);
  EXPECT_STREQ(text.data(), "caf\xC3\xA9");
  EXPECT_EQ(payload.text_size, 6U);
  EXPECT_EQ(payload.corrected_bits, 0U);
  EXPECT_LT(payload.log10_false_positive, -6);

  payload.text_capacity = 5;
  EXPECT_TRUE(fails(sealite_payload_decode(logits.data(), logits.size(), "key", &payload), SEALITE_USAGE,
                    "room for 5, 6 are needed"));
  EXPECT_EQ(payload.text_size, 6U);

  ASSERT_TRUE(succeeds(sealite_payload_decode(logits.data(), logits.size(), "another", &payload)));
  EXPECT_EQ(payload.kind, SEALITE_PAYLOAD_NONE);
}

TEST(CMessage, AnIdComesBack) {
  std::array<char, 65> hex{};
  std::size_t needed = 0;
  ASSERT_TRUE(succeeds(sealite_message_hex("id:4711", 256, nullptr, hex.data(), hex.size(), &needed)));
  std::vector<float> logits = logits_of(hex.data());
  logits[7] = -logits[7];
  auto payload = sized<sealite_payload>();
  ASSERT_TRUE(succeeds(sealite_payload_decode(logits.data(), logits.size(), nullptr, &payload)));
  EXPECT_EQ(payload.kind, SEALITE_PAYLOAD_ID);
  EXPECT_EQ(payload.id, 4711U);
  EXPECT_EQ(payload.corrected_bits, 1U);
}

TEST(CMessage, MatchCountsAgreeingBits) {
  const std::vector<float> logits = logits_of("cd750d7d");
  auto match = sized<sealite_message_match>();
  ASSERT_TRUE(succeeds(sealite_match(logits.data(), logits.size(), "cd750d7e", nullptr, &match)));
  EXPECT_EQ(match.matches, 30U);
  EXPECT_EQ(match.bits, 32U);
  EXPECT_NEAR(match.p_value, (1.0 + 32 + 496) / 4294967296.0, 1e-15);
}

TEST(CMessage, TheBestCandidateComesWithItsLabel) {
  const ScratchFolder folder;
  const std::string list = folder / "list";
  std::ofstream(list) << "00000000 nobody\ncd750d7d Ann of Arc\n";
  sealite_candidates* opened = nullptr;
  ASSERT_TRUE(succeeds(sealite_candidates_open(nullptr, list.c_str(), 32, nullptr, &opened)));
  const CandidatesHandle candidates(opened);
  const std::vector<float> logits = logits_of("cd750d7c");
  std::array<char, 9> message{};
  std::array<char, 32> label{};
  auto best = sized<sealite_candidate>();
  best.message = message.data();
  best.message_capacity = message.size();
  best.label = label.data();
  best.label_capacity = label.size();
  ASSERT_TRUE(succeeds(sealite_candidates_best(opened, logits.data(), logits.size(), &best)));
  EXPECT_STREQ(message.data(), "cd750d7d");
  EXPECT_STREQ(label.data(), "Ann of Arc");
  EXPECT_EQ(best.line, 2U);
  EXPECT_EQ(best.candidates, 2U);
  EXPECT_EQ(best.matches, 31U);
  EXPECT_TRUE(fails(sealite_candidates_best(opened, logits.data(), 9, &best), SEALITE_USAGE, "expected 33"));

  sealite_candidates* none = opened;
  EXPECT_TRUE(fails(sealite_candidates_open(nullptr, (folder / "absent").c_str(), 32, nullptr, &none),
                    SEALITE_NOT_FOUND, "absent"));
  EXPECT_EQ(none, nullptr);
}

TEST(CMessage, TheLastErrorIsEachThreadsOwnAndOutlivesSuccess) {
  std::size_t needed = 0;
  EXPECT_NE(sealite_message_hex("zz", 8, nullptr, nullptr, 0, &needed), SEALITE_OK);
  const std::string mine = sealite_last_error();
  EXPECT_FALSE(mine.empty());
  std::thread([&] {
    EXPECT_STREQ(sealite_last_error(), "");
    EXPECT_NE(sealite_message_hex(nullptr, 8, nullptr, nullptr, 0, &needed), SEALITE_OK);
    EXPECT_STRNE(sealite_last_error(), mine.c_str());
  }).join();
  EXPECT_EQ(sealite_message_hex("ff", 8, nullptr, nullptr, 0, &needed), SEALITE_OK);
  EXPECT_EQ(sealite_last_error(), mine);
}

TEST(CMessage, ALongErrorIsCutBetweenCharacters) {
  std::string path(4000, 'x');
  for (int i = 0; i < 3000; ++i) path += "\xC3\xA9";
  sealite_detector* detector = nullptr;
  EXPECT_NE(sealite_detector_open(nullptr, path.c_str(), nullptr, &detector), SEALITE_OK);
  const std::string said = sealite_last_error();
  EXPECT_LE(said.size(), 8191U);
  EXPECT_NE(said.back(), '\xC3');
}

}  // namespace
}  // namespace sealite
