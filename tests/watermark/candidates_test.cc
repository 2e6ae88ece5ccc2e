#include "watermark/candidates.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <thread>

#include "base/scratch_folder.h"
#include "expect_error.h"

namespace sealite::watermark {
namespace {

class CandidatesFile : public ::testing::Test {
 protected:
  CandidateList load(const std::string& text, std::size_t bits = 64) {
    write_text(path(), text);
    return {path(), PayloadCodec(bits, "key")};
  }
  void expect_malformed(const std::string& text, std::initializer_list<std::string_view> parts,
                        std::size_t bits = 64) {
    expect_error(ErrorCode::kMalformed, parts, [&] { load(text, bits); });
  }
  std::filesystem::path path() const { return folder_ / "list.txt"; }

  ScratchFolder folder_;
};

TEST_F(CandidatesFile, TheBestMatchIsNamed) {
  const CandidateList list =
      load("0000000000000000 nobody\nFFFFFFFFFFFFFF00 alice\n0xfffffffffffff000 bob\n");
  EXPECT_EQ(list.size(), 3U);
  const CandidateMatch match = list.best(Bits(64, 1));
  EXPECT_EQ(match.label, "alice");
  EXPECT_EQ(match.line, 2U);
  EXPECT_EQ(match.match.matches, 56U);
  EXPECT_EQ(match.match.bits, 64U);
  EXPECT_EQ(match.message, "ffffffffffffff00");
  EXPECT_EQ(match.candidates, 3U);
  EXPECT_NEAR(match.log10_p_value, match.match.log10_p_value + std::log10(3), 1e-12);
  EXPECT_NEAR(match.p_value / (3 * match.match.p_value), 1, 1e-9);
}

TEST_F(CandidatesFile, ProbabilityIsAtMostOne) {
  const CandidateMatch match = load("00\n01\n02\n03\n", 8).best(Bits(8, 1));
  EXPECT_EQ(match.p_value, 1);
  EXPECT_EQ(match.log10_p_value, 0);
  EXPECT_EQ(match.line, 4U);  // 03 has two bits right
}

TEST_F(CandidatesFile, TheFirstOfEquallyGoodOnes) {
  EXPECT_EQ(load("0f\nf0\nff\nff\n", 8).best(Bits(8, 1)).line, 3U);
}

TEST_F(CandidatesFile, ARepeatedMessageIsOneCandidate) {
  const CandidateList list = load("0f a\nff b\n0F c\n00\n0xff d\n0f\n", 8);
  EXPECT_EQ(list.size(), 3U);
  const std::vector<RepeatedCandidate> repeats = list.repeats();
  ASSERT_EQ(repeats.size(), 3U);
  EXPECT_EQ(repeats[0].again.line, 3U);
  EXPECT_EQ(repeats[0].again.label, "c");
  EXPECT_EQ(repeats[0].first.line, 1U);
  EXPECT_EQ(repeats[0].first.label, "a");
  EXPECT_EQ(repeats[1].again.label, "d");
  EXPECT_EQ(repeats[1].first.label, "b");
  EXPECT_EQ(repeats[2].again.line, 6U);
  EXPECT_EQ(repeats[2].first.line, 1U);
  const CandidateMatch match = list.best({0, 0, 0, 0, 1, 1, 1, 1});
  EXPECT_EQ(match.candidates, 3U);
  EXPECT_EQ(match.line, 1U);
  ASSERT_EQ(match.also.size(), 2U);
  EXPECT_EQ(match.also[0].label, "c");
  EXPECT_EQ(match.also[1].line, 6U);
  EXPECT_NEAR(match.p_value, 3.0 / 256, 1e-12);
  EXPECT_TRUE(load("00\n01\n", 8).repeats().empty());
}

TEST_F(CandidatesFile, AllFormsOfAMessage) {
  const PayloadCodec codec(256, "key");
  const CandidateList list =
      load("id:17\tcustomer 17\n text:hello  greeting\ntext:\"a b\"\tspaces \n" + std::string(64, '0') + "\n",
           256);
  const auto best = [&](const char* words) { return list.best(parse_message(words, codec)); };
  EXPECT_EQ(best("id:17").label, "customer 17");
  EXPECT_EQ(best("text:hello").label, "greeting");
  EXPECT_EQ(best("text:a b").label, "spaces");
  EXPECT_EQ(best("text:a b").match.matches, 256U);
  EXPECT_EQ(list.best(Bits(256, 0)).label, "");
  EXPECT_EQ(list.best(Bits(256, 0)).line, 4U);
}

TEST_F(CandidatesFile, CommentsEmptyLinesAndOtherSystemsLineEnds) {
  const CandidateList list =
      load("\xEF\xBB\xBF# list\r\n\r\n  \t\n0f label\r\n  # no\n\nf0 # nothing\nff", 8);
  EXPECT_EQ(list.size(), 3U);
  EXPECT_EQ(list.best(Bits(8, 1)).line, 8U);
  EXPECT_EQ(list.best({0, 0, 0, 0, 1, 1, 1, 1}).label, "label");
  EXPECT_EQ(list.best({0, 0, 0, 0, 1, 1, 1, 1}).line, 4U);
  EXPECT_EQ(list.best({1, 1, 1, 1, 0, 0, 0, 0}).label, "");
}

TEST_F(CandidatesFile, ErrorsNameTheLine) {
  expect_malformed("0f\nf0\n123\n", {"list.txt', line 3", "8 bits", "found 3"}, 8);
  expect_malformed("0g\n", {"line 1", "hexadecimal"}, 8);
  expect_malformed("0f\nid:3\n", {"line 2", "raw bits only"}, 8);
  expect_malformed("\nid:65536\n", {"line 2", "65535"});
  expect_malformed("id:x\n", {"line 1", "number"});
  expect_malformed("text:abc\n", {"line 1", "at most 2"});
  expect_malformed("text:\"ab\n", {"line 1", "closing"});
  expect_malformed("text:\"ab\"c\n", {"line 1", "white space"});
  expect_malformed("text:\xC3\n", {"line 1", "UTF-8"});
  expect_malformed(std::string("0f\n\0\0\n", 6), {"line 2"}, 8);
}

TEST_F(CandidatesFile, HostileFiles) {
  expect_malformed("", {"no candidates"});
  expect_malformed("# nothing\n\n", {"no candidates"});
  expect_malformed("\n" + std::string(5000, '0') + "\n", {"line 2", "4096 bytes"});
  expect_malformed(std::string(1 << 20U, '0'), {"line 1", "4096 bytes"});
  expect_malformed(std::string(1 << 20U, '\0'), {"line 1"});
  expect_error(ErrorCode::kNotFound, {"missing.txt", "No such"},
               [&] { CandidateList(folder_ / "missing.txt", PayloadCodec(8, "")); });
  expect_error(ErrorCode::kNotFound, {"folder"}, [&] { CandidateList(folder_.path(), PayloadCodec(8, "")); });
}

TEST_F(CandidatesFile, ManyLines) {
  std::string text;
  for (unsigned i = 0; i < 100'000; ++i)
    text += to_hex(bits_of({{std::uint8_t(i >> 16U), std::uint8_t(i >> 8U), std::uint8_t(i)}})) + " n" +
            std::to_string(i) + "\n";
  const CandidateList list = load(text, 24);
  EXPECT_EQ(list.size(), 100'000U);
  const CandidateMatch match = list.best(from_hex("01869f", 24));
  EXPECT_EQ(match.label, "n99999");
  EXPECT_EQ(match.line, 100'000U);
  EXPECT_EQ(match.match.matches, 24U);
}

TEST_F(CandidatesFile, APipeWillDo) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { write_text(pipe, "0f\nff last\n"); });
  const CandidateList list(pipe, PayloadCodec(8, ""));
  writer.join();
  EXPECT_EQ(list.best(Bits(8, 1)).label, "last");
  expect_error(ErrorCode::kInternal, {"3 bits"}, [&] { list.best({1, 0, 1}); });
}

}  // namespace
}  // namespace sealite::watermark
