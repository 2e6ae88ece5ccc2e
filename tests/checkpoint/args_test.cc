#include "checkpoint/args.h"

#include <chrono>

#include "checkpoint/builders.h"
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

// One long text, named again and again at two bytes each.
TEST(Args, RefusesALongTextThatIsRepeated) {
  const TestFolder folder;
  std::string list = "](" + text_op(std::string(1U << 20U, 'a')) + "q\x01";
  for (int i = 0; i < 1000; ++i) list += "h\x01";
  write_file(folder / "x.pth",
             torch_zip(model_pickle(TensorOps{}(), text_op("args") + "}" + text_op("a") + list + "es")));
  const auto message = expect_error(ErrorCode::kMalformed, [&] { Checkpoint::open(folder / "x.pth"); });
  EXPECT_NE(message.find("bytes of text"), std::string::npos) << message;

  std::string yaml = "a: &a " + std::string(1U << 19U, 'a') + "\nb: [";
  for (int i = 0; i < 1000; ++i) yaml += "*a, ";
  expect_error(ErrorCode::kMalformed, [&] { flatten_yaml(yaml + "]\n"); });
}

TEST(Args, WhatHasNoPlainFormIsNamed) {
  const TestFolder folder;
  const std::string set =
      "cbuiltins\nset\n](K\x01"
      "e\x85R";
  const std::string args = "}(" + text_op("keep") + "K\x05" + text_op("set") + set + text_op("seed") +
                           "\x8a\x09" + std::string(8, '\xff') + '\0' + text_op("raw") + "C\x02zz" +
                           text_op("type") + "ctorch\nfloat32\n" + text_op("list") + "](K\x01" + set + "e" +
                           text_op("in") + "}" + text_op("tensor") + TensorOps{}() + "s" + "(K\x01tK\x02" +
                           "u";
  write_file(folder / "x.pth", torch_zip(model_pickle(TensorOps{}(), text_op("args") + args)));
  const Checkpoint read = Checkpoint::open(folder / "x.pth");
  EXPECT_EQ(read.dropped_args(),
            (std::vector<std::string>{"set", "seed", "raw", "type", "list", "in.tensor", "?"}));
  PlainValue expected{.kind = PlainValue::Kind::kDict};
  expected.set("keep", PlainValue::of_int(5));
  expected.set("in", {.kind = PlainValue::Kind::kDict});
  EXPECT_EQ(read.plain_args(), expected);
}

TEST(Args, TextsGetTheirTypesBack) {
  EXPECT_EQ(scalar_of_text("null"), PlainValue{});
  EXPECT_EQ(scalar_of_text("true"), PlainValue::of_bool(true));
  EXPECT_EQ(scalar_of_text("-64"), PlainValue::of_int(-64));
  EXPECT_EQ(scalar_of_text("0.2"), PlainValue::of_float(0.2));
  EXPECT_EQ(scalar_of_text("2.0"), PlainValue::of_float(2));
  EXPECT_EQ(scalar_of_text("1e+300"), PlainValue::of_float(1e300));
  for (const char* text : {"", "None", "True", "064", "+1", "1e5", "inf", "nan", "0x10", "1_000", " 1", "1 ",
                           "1.", "99999999999999999999"}) {
    EXPECT_EQ(scalar_of_text(text), PlainValue::of_text(text)) << text;
  }
}

TEST(Args, YamlTextAndEpochAreKept) {
  const TestFolder folder;
  const std::string text = "# comment\nnbits:   64\n\n";
  write_file(folder / "x.pth", torch_zip(model_pickle(TensorOps{}(), text_op("args") + text_op(text) +
                                                                         text_op("epoch") + "M\x59\x02")));
  const Checkpoint read = Checkpoint::open(folder / "x.pth");
  EXPECT_EQ(read.plain_args(), PlainValue::of_text(text));
  EXPECT_EQ(read.epoch(), 601);
  for (const std::string& value :
       {std::string("N"), std::string("\x88"), "G\x40" + std::string(7, '\0'), text_op("601")}) {
    write_file(folder / "y.pth", torch_zip(model_pickle(TensorOps{}(), text_op("epoch") + value)));
    EXPECT_EQ(Checkpoint::open(folder / "y.pth").epoch(), std::nullopt);
  }
}

}  // namespace
}  // namespace sealite::checkpoint
