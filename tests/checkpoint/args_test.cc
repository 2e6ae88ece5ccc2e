#include "checkpoint/args.h"

#include <chrono>

#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

TEST(Args, FlattensYaml) {
  const ArgMap expected{{"nbits", "64"},   {"a.b", "x"},     {"a.c.0", "1"},
                        {"a.c.1", "true"}, {"none", "null"}, {"t", "~x"}};
  EXPECT_EQ(flatten_yaml("nbits: 64\na: {b: x, c: [1, true]}\nnone: ~\nt: \"~x\"\n"), expected);
  EXPECT_TRUE(flatten_yaml("").empty());
}

TEST(Args, RefusesBrokenYaml) {
  for (const char* text :
       {"a: [1, 2", "a: *nobody", "- 1\n- 2", "just text", "? [a, b]\n: c", "a: b: c", "\ta: b",
        "a: \"\\xff\\ud800\"", "%YAML 9.9\n---\na: b: c", "a: !!binary [", "{{{{", "a: &x [*x]"}) {
    expect_error(ErrorCode::kMalformed, [&] { flatten_yaml(text); });
  }
}

TEST(Args, RefusesBillionLaughs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += fmt::format("a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) text += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    text += "]\n";
  }
  const auto message = expect_error(ErrorCode::kMalformed, [&] { flatten_yaml(text); });
  EXPECT_NE(message.find("values"), std::string::npos) << message;
}

TEST(Args, RefusesLargeAndDeepYamlQuickly) {
  const auto start = std::chrono::steady_clock::now();
  expect_error(ErrorCode::kMalformed, [] { flatten_yaml(std::string((1U << 20U) + 1, 'a')); });
  for (const std::string_view unit :
       {"[", "{", "- ", "? ", "{a: ", "[[],", "!a ", "&a ", "a: &b\n ", "*a ", "'", "|\n "}) {
    std::string text = "a: ";
    while (text.size() + unit.size() <= 1U << 20U) text += unit;
    try {
      flatten_yaml(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kMalformed);
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace sealite::checkpoint
