// Odd and hostile files that reach one reader's last word each: what a pickle's calls are given, records of a
// zip, old files, shards; and the odd ones that torch makes and Sealite reads.
#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

struct Refusal {
  std::string name;
  ErrorCode code;
  std::string message;
  std::string bytes;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.name;
}

std::string called(std::string_view module, std::string_view name, std::string_view arguments) {
  return fmt::format("c{}\n{}\n({}tR", module, name, arguments);
}

std::string beside_weights(const std::string& value) {
  return torch_zip(model_pickle(TensorOps{}(), text_op("x") + value));
}

// torch._utils._rebuild_tensor_v3 of an untyped storage, with `type` as its element type.
std::string typed_tensor(const std::string& type, std::string_view shape = "K\6\x85K\1\x85") {
  return called("torch._utils", "_rebuild_tensor_v3",
                "(" + text_op("storage") + "ctorch.storage\nUntypedStorage\n" + text_op("0") +
                    text_op("cpu") + "K\x18tQ" + int_op(0) + std::string(shape) + "\x89N" + type);
}

std::string persistent(const std::string& parts) {
  return beside_weights("(" + parts + "tQ");
}

std::string named_dict(std::string_view name) {
  return called("collections", name, "");
}

std::vector<Refusal> call_cases() {
  using enum ErrorCode;
  const auto call = [](std::string_view module, std::string_view name, std::string_view arguments) {
    return beside_weights(called(module, name, arguments));
  };
  std::string axes = "(";
  for (int i = 0; i < 65; ++i) axes += "K\1";
  axes += "t";
  return {
      {"DictOfThree", kMalformed, "too many arguments", call("builtins", "dict", "NN")},
      {"DictOfANumber", kMalformed, "something else than pairs", call("builtins", "dict", "K\1")},
      {"DictOfNoPairs", kMalformed, "something else than pairs", call("builtins", "dict", "](K\1K\2e")},
      {"DictOfTriples", kMalformed, "something else than pairs",
       call("builtins", "dict",
            "](NNN\x87"
            "e")},
      {"SetOfTwo", kMalformed, "too many arguments", call("builtins", "set", "]]")},
      {"ListOfANumber", kMalformed, "made from something else", call("builtins", "list", "K\1")},
      {"BytesOfANumber", kMalformed, "bytes made from", call("builtins", "bytes", "K\1")},
      {"BytesInUtf8", kMalformed, "encoding 'utf-8'",
       call("_codecs", "encode", text_op("a") + text_op("utf-8"))},
      {"BytesOfAWideLetter", kMalformed, "above 255",
       call("_codecs", "encode", text_op("\xe2\x82\xac") + text_op("latin1"))},
      {"DeviceOfANumber", kMalformed, "device's name", call("torch", "device", "K\1")},
      {"ParameterOfNothing", kMalformed, "parameter of nothing",
       call("torch._utils", "_rebuild_parameter", "")},
      {"ParameterOfANumber", kMalformed, "not a tensor", call("torch._utils", "_rebuild_parameter", "K\1")},
      {"TypeWithoutParts", kMalformed, "without its parts",
       call("torch._tensor", "_rebuild_from_type_v2", "NN")},
      {"TensorWithoutStorage", kMalformed, "not a storage",
       call("torch._utils", "_rebuild_tensor_v2", "K\1")},
      {"TensorOfManyAxes", kMalformed, "a shape of 65 axes",
       beside_weights(typed_tensor("ctorch\nfloat32\n", axes + "K\1\x85"))},
      {"ShapeOfTexts", kMalformed, "something else than integers",
       beside_weights(typed_tensor("ctorch\nfloat32\n", text_op("a") + "\x85K\1\x85"))},
      {"TypeIsNoName", kMalformed, "not an element type", beside_weights(typed_tensor("K\1"))},
      {"TypeIsAStorage", kMalformed, "without an element type",
       beside_weights(typed_tensor("ctorch\nFloatStorage\n"))},
      {"UntypedTensor", kMalformed, "without an element type",
       beside_weights(TensorOps{.storage_type = "torch\nUntypedStorage\n"}())},
      {"NamedArgumentsInAList", kMalformed, "named arguments are no dict", beside_weights("ca\nB\n)]\x92")},
      {"NamespaceOfAList", kMalformed, "attributes are no dict",
       beside_weights("cargparse\nNamespace\n)\x81]b")},
      {"NameThatIsANumber", kMalformed, "a global has no name", beside_weights("K\1K\2\x93")},
      {"NameWithASpace", kMalformed, "refused", beside_weights("ca b\nc\n")},
      {"NameThatBeginsWithADot", kMalformed, "refused", beside_weights("c.os\nsystem\n")},
      {"NameOfNothing", kMalformed, "refused", beside_weights("c\n\n")},
  };
}

std::vector<Refusal> storage_cases() {
  using enum ErrorCode;
  const std::string float_storage = "ctorch\nFloatStorage\n";
  const auto part = [&](int begin, int length) {
    return persistent(text_op("storage") + float_storage + text_op("0") + text_op("cpu") + "K\6(" +
                      text_op("v") + int_op(begin) + int_op(length) + "t");
  };
  const auto line = [](std::string_view words) { return beside_weights(fmt::format("P{}\n", words)); };
  return {
      {"IdOfAnotherKind", kMalformed, "kind 'file'", persistent(text_op("file") + "NNNN")},
      {"IdTooShort", kMalformed, "no storage", persistent(text_op("storage") + float_storage)},
      {"IdOfAnOpaqueType", kMalformed, "type a.B",
       persistent(text_op("storage") + "ca\nB\n" + text_op("0") + text_op("cpu") + "K\6")},
      {"IdOfADict", kMalformed, "type collections.OrderedDict",
       persistent(text_op("storage") + "ccollections\nOrderedDict\n" + text_op("0") + text_op("cpu") +
                  "K\6")},
      {"IdOfFewerThanNone", kMalformed, "has -6 elements",
       persistent(text_op("storage") + float_storage + text_op("0") + text_op("cpu") + int_op(-6))},
      {"PartBeforeTheStart", kMalformed, "not inside it", part(-1, 2)},
      {"PartOfFewerThanNone", kMalformed, "not inside it", part(0, -2)},
      {"LineOfAnotherKind", kMalformed, "no storage",
       line("x('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 6)")},
      {"LineOfADType", kMalformed, "no storage", line("('storage', <class 'torch.float32'>, '0', 'cpu', 6)")},
      {"LineWithoutANumber", kMalformed, "no storage",
       line("('storage', <class 'torch.FloatStorage'>, '0', 'cpu', six)")},
      {"LineThatIsCut", kMalformed, "no storage", line("('storage', <class 'torch.FloatStorage'>, '0")},
  };
}

std::vector<Refusal> budget_cases() {
  using enum ErrorCode;
  std::string sections = "}(" + text_op("model") + "}" + text_op("w") + TensorOps{}() + "s" + text_op("l") +
                         "](" + std::string(8192, 'N') + "eq\1";
  for (int i = 0; i < 2100; ++i) sections += text_op(fmt::format("s{}", i)) + "h\1";
  return {
      {"TooManyValues", kMalformed, "more than 2097152 values",
       beside_weights("](" + std::string(2200000, ']') + "e")},
      {"TooMuchToRemember", kMalformed, "remembers too many",
       torch_zip(proto("N" + std::string((std::size_t{1} << 21U) + 1, '\x94')))},
      {"TooEntangled", kMalformed, "too entangled", torch_zip(proto(sections + "u"))},
      {"APickleOf65MiB", kMalformed, "at most 67108864",
       [] {
         TestEntry entry = deflated_entry("t/data.pkl", "N.");
         entry.real_size = 65U << 20U;
         return build_zip({entry});
       }()},
      {"OneObject", kUnsupported, "one object, 'a.B'", torch_zip(proto("ca\nB\n)R"))},
      {"ATensorWithoutAName", kMalformed, "has no name",
       torch_zip(proto("}" + text_op("model") + "}(" + text_op("w") + TensorOps{}() + "K\1" + TensorOps{}() +
                       "us"))},
      {"Nothing", kUnsupported, "it has nothing", torch_zip(proto("}"))},
      {"ArgsTooDeep", kMalformed, "nested deeper",
       torch_zip(model_pickle(TensorOps{}(), text_op("args") + "}" + text_op("a") + std::string(40, ']') +
                                                 std::string(39, 'a') + "s"))},
      {"ArgsWithALongKey", kMalformed, "a key of more than 1024",
       torch_zip(
           model_pickle(TensorOps{}(), text_op("args") + "}" + text_op(std::string(1025, 'k')) + "K\1s"))},
      {"YamlWithAKeyThatIsAList", kMalformed, "is not text",
       torch_zip(model_pickle(TensorOps{}(), text_op("args") + text_op("a: {? [b, c] : d}")))},
  };
}

// A zip whose end is told in 64 bits: `wide` of the record, `at` of its locator.
std::string wide_zip(std::uint64_t entries, std::uint64_t size, std::uint64_t offset, std::uint64_t at,
                     std::uint64_t disks = 0) {
  const std::string file = torch_zip(model_pickle(TensorOps{}()));
  const std::string end = file.substr(file.size() - 22);
  return file.substr(0, file.size() - 22) + le(0x06064b50, 4) + le(44, 8) + le(45, 2) + le(45, 2) +
         le(disks, 8) + le(entries, 8) + le(entries, 8) + le(size, 8) + le(offset, 8) + le(0x07064b50, 4) +
         le(0, 4) + le(at, 8) + le(1, 4) + end;
}

std::vector<Refusal> record_cases() {
  using enum ErrorCode;
  const std::string file = torch_zip(model_pickle(TensorOps{}()));
  const std::size_t end = file.size() - 22;
  const std::size_t first_row = file.find("PK\x01\x02");
  const auto changed = [&](std::size_t at, const std::string& bytes) {
    std::string copy = file;
    return copy.replace(at, bytes.size(), bytes);
  };
  return {
      {"Tiny", kMalformed, "smallest part", "PK\x03\x04"},
      {"OfAnotherDisk", kUnsupported, "several disks", changed(end + 4, le(1, 2))},
      {"DirectoryOutside", kMalformed, "directory lies outside", changed(end + 16, le(0x7FFFFFFF, 4))},
      {"DirectoryDamaged", kMalformed, "directory is damaged", changed(first_row, "PK\x01\x03")},
      {"RowThatIsLonger", kMalformed, "directory ends early",
       changed(file.rfind("PK\x01\x02") + 28, le(60000, 2))},
      {"HeaderThatIsLonger", kMalformed, "leaves the file",
       changed(file.rfind("PK\x03\x04") + 28, le(60000, 2))},
      {"TwoEnds", kMalformed, "contradict", wide_zip(5, file.size() - 22 - first_row, first_row, end)},
      {"WideEndIsNotThere", kMalformed, "zip64 end record",
       wide_zip(4, file.size() - 22 - first_row, first_row, end + 1)},
      {"WideEndOfAnotherDisk", kUnsupported, "several disks",
       wide_zip(4, end - first_row, first_row, end, 1)},
      {"WideDirectoryOutside", kMalformed, "directory lies outside",
       wide_zip(4, end - first_row, ~std::uint64_t{0}, end)},
      {"ManyEntries", kMalformed, "at most 1048576",
       [&] {
         std::string wide = wide_zip((std::uint64_t{1} << 20U) + 1, end - first_row, first_row, end);
         return wide.replace(wide.size() - 12, 2, "\xff\xff");
       }()},
  };
}

std::vector<Refusal> old_cases() {
  using enum ErrorCode;
  const std::string head = legacy_head(), pickle = model_pickle(TensorOps{}()), magic = head.substr(0, 15);
  const auto of = [&](const std::string& storage_elements, const std::string& keys) {
    return head + pickle + keys + storage_elements;
  };
  return {
      {"AnotherVersion", kUnsupported, "other than 1001", magic + proto("M" + le(1002, 2)) + pickle},
      {"AVersionThatIsAText", kUnsupported, "other than 1001", magic + proto(text_op("1001")) + pickle},
      {"NoOrder", kMalformed, "which order", magic + proto("M" + le(1001, 2)) + proto("}") + pickle},
      {"NoKeys", kMalformed, "are no list", of("", proto("}"))},
      {"KeyThatIsANumber", kMalformed, "is no text", of(le(6, 8) + std::string(24, '\1'), proto("](K\1e"))},
      {"HalfACount", kMalformed, "ends early", of("\6\0\0", proto("](" + text_op("0") + "e"))},
      {"PartOutside", kMalformed, "elements 5 to 5 + 2",
       legacy_file(model_pickle(called("torch._utils", "_rebuild_tensor",
                                       "(" + text_op("storage") + "ctorch\nFloatStorage\n" + text_op("0") +
                                           text_op("cpu") + "K\6(" + text_op("v") + "K\5K\2ttQ" + int_op(0) +
                                           "K\2\x85K\1\x85")),
                   {{"0", std::string(24, '\1')}})},
  };
}

class Refusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refusals, SaysWhy) {
  const TestFolder folder;
  write_file(folder / "odd.pth", GetParam().bytes);
  const std::string message = expect_error(GetParam().code, [&] { Checkpoint::open(folder / "odd.pth"); });
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
}

constexpr auto kRefusalName = [](const auto& test) { return test.param.name; };
INSTANTIATE_TEST_SUITE_P(Calls, Refusals, ::testing::ValuesIn(call_cases()), kRefusalName);
INSTANTIATE_TEST_SUITE_P(Storages, Refusals, ::testing::ValuesIn(storage_cases()), kRefusalName);
INSTANTIATE_TEST_SUITE_P(Budgets, Refusals, ::testing::ValuesIn(budget_cases()), kRefusalName);
INSTANTIATE_TEST_SUITE_P(Records, Refusals, ::testing::ValuesIn(record_cases()), kRefusalName);
INSTANTIATE_TEST_SUITE_P(OldFiles, Refusals, ::testing::ValuesIn(old_cases()), kRefusalName);

TEST(OddFiles, WhatTorchMakesOfItIsRead) {
  const TestFolder folder;
  const auto sections = [&](const std::string& value) {
    write_file(folder / "odd.pth", beside_weights(value));
    return Checkpoint::open(folder / "odd.pth").sections().back();
  };
  const std::string pairs = "](" + text_op("a") + TensorOps{}() + "\x86" + text_op("b") + TensorOps{}() +
                            "\x86"
                            "e";
  EXPECT_EQ(sections(called("collections", "OrderedDict", pairs)).tensors, 2U);
  EXPECT_EQ(sections(called("collections", "Counter", called("builtins", "dict", pairs))).tensors, 2U);
  EXPECT_EQ(sections(called("builtins", "frozenset", "](" + TensorOps{}() + "e")).tensors, 1U);
  EXPECT_EQ(sections(called("builtins", "list", TensorOps{}() + "\x85")).tensors, 1U);
  EXPECT_EQ(sections(typed_tensor("ctorch\nfloat32\n")).tensors, 1U);
  // bytes() and bytearray(b"…") in protocol 2.
  for (const std::string& arguments :
       {std::string(), std::string("C\2ab"), text_op("ab") + text_op("latin1")})
    EXPECT_TRUE(sections(called("builtins", "bytearray", arguments)).opaque.empty());
  // An element type of a newer torch, and a class with its source of an old one.
  EXPECT_EQ(sections(typed_tensor("ctorch\nint1\n")).opaque, std::vector<std::string>{"torch.int1"});
  EXPECT_EQ(
      sections("(" + text_op("module") + "ca\nB\n" + text_op("b.py") + text_op("import os") + "tQ").opaque,
      std::vector<std::string>{"a.B"});
  EXPECT_EQ(sections(named_dict("OrderedDict") + "}" + text_op("_metadata") + "Nsb").tensors, 0U);
}

// Of a TPU, and of a GPU before torch 0.4.
TEST(OddFiles, WeightsOfOtherDevicesAreRead) {
  const TestFolder folder;
  const std::string storage =
      "(" + text_op("storage") + "ctorch.cuda\nFloatStorage\n" + text_op("0") + text_op("cuda:0") + "K\6tQ";
  const std::string parts = storage + int_op(0) + "(K\2K\3t(K\3K\1t";
  for (const std::string& tensor : {called("torch._utils", "_rebuild_device_tensor_from_cpu_tensor",
                                           TensorOps{}() + "ctorch\nfloat32\n" + text_op("xla:0") + "\x89"),
                                    "ctorch.cuda\nFloatTensor\n)\x81(" + parts + "tb",
                                    called("torch._utils", "_rebuild_tensor_v2", parts + "\x89N")}) {
    write_file(folder / "odd.pth", torch_zip(model_pickle(tensor)));
    const Checkpoint checkpoint = Checkpoint::open(folder / "odd.pth");
    ASSERT_NE(checkpoint.find("w"), nullptr);
    EXPECT_EQ(checkpoint.find("w")->shape, (Shape{2, 3}));
    EXPECT_EQ(checkpoint.find("w")->type, DType::kFloat32);
  }
}

TEST(OddFiles, AWideZipIsRead) {
  const TestFolder folder;
  const std::string file = torch_zip(model_pickle(TensorOps{}()));
  const std::size_t directory = file.find("PK\x01\x02"), end = file.size() - 22;
  EXPECT_TRUE(opens(folder, wide_zip(4, end - directory, directory, end)));
}

TEST(OddFiles, SeveralPartsOfAZipThatAreNoCheckpoint) {
  const TestFolder folder;
  const auto says = [&](const std::vector<TestEntry>& entries) {
    write_file(folder / "x.zip", build_zip(entries));
    return expect_error(ErrorCode::kUnsupported, [&] { Checkpoint::open(folder / "x.zip"); });
  };
  EXPECT_NE(says({{"serialized_exported_program.json", "{}"}}).find("torch.export"), std::string::npos);
  EXPECT_NE(says({{"a/b/data.pkl", "N."}}).find("zip around one"), std::string::npos);
  EXPECT_NE(says({{"/data.pkl", "N."}}).find("zip around one"), std::string::npos);
}

TEST(OddFiles, AnIndexOfTooManyShards) {
  const TestFolder folder;
  std::string map;
  for (int i = 0; i < 4097; ++i) map += fmt::format(R"({}"w{}":"f{}")", i == 0 ? "" : ",", i, i);
  write_file(folder / "m.index.json", fmt::format(R"({{"weight_map":{{{}}}}})", map));
  const std::string message =
      expect_error(ErrorCode::kMalformed, [&] { Checkpoint::open(folder / "m.index.json"); });
  EXPECT_NE(message.find("more than 4096 shards"), std::string::npos) << message;
}

TEST(OddFiles, ShardsWithoutANumber) {
  const TestFolder folder;
  const std::string complex = TensorOps{
      .storage_type = "torch\nComplexFloatStorage\n", .elements = 3, .shape = {3}, .strides = {1}}();
  write_file(folder / "a",
             torch_zip(proto("}(" + text_op("c") + complex + text_op("w") + TensorOps{}() + "u")));
  write_file(folder / "m.index.json", R"({"weight_map":{"c":"a"}})");
  EXPECT_NE(expect_error(ErrorCode::kUnsupported, [&] { Checkpoint::open(folder / "m.index.json"); })
                .find("no tensors"),
            std::string::npos);
  write_file(folder / "m.index.json",
             R"({"metadata":{"a":true,"b":null,"c":1.5,"d":-1},"weight_map":{"c":"a","w":"a"}})");
  EXPECT_EQ(Checkpoint::open(folder / "m.index.json").unreadable(), (UnreadableMap{{"c", "complex64"}}));
}

TEST(OddFiles, FilesOfOtherProgramsAreNamed) {
  const TestFolder folder;
  const std::vector<std::pair<std::string, std::string>> files{{"GGUF....", "GGUF"},
                                                               {"BZh9....", "bunzip2"},
                                                               {"\xfd"
                                                                "7zXZ...",
                                                                "unxz"},
                                                               {"7z\xbc\xaf\x27\x1c....", "7-Zip"},
                                                               {"Rar!....", "RAR"},
                                                               {"\xff\xd8\xff\xe0....", "a picture"},
                                                               {"RIFF....", "sound"},
                                                               {"\x93NUMPY...", "NumPy array"},
                                                               {"[1, 2, 3]", "JSON"},
                                                               {"<Error><Code>", "XML message"}};
  for (const auto& [bytes, says] : files) {
    write_file(folder / "x", bytes);
    const std::string message =
        expect_error(ErrorCode::kUnsupported, [&] { Checkpoint::open(folder / "x"); });
    EXPECT_NE(message.find(says), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace sealite::checkpoint
