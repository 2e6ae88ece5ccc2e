// BrokenArchive and hostile torch files: each is one line of a table, and nothing but sealite::Error may come
// out.
#include <limits>

#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

std::string good_file() {
  return torch_zip(model_pickle(TensorOps{}()));
}

struct BrokenArchive {
  std::string name;
  ErrorCode code;
  std::string message;  // must appear
  std::string bytes;
};

std::ostream& operator<<(std::ostream& out, const BrokenArchive& broken) {
  return out << broken.name;
}

std::string spoiled_zip(std::function<void(TestEntry&)> spoil, std::uint16_t flags = 0,
                        std::uint16_t method = 0) {
  return build_zip({{"t/data.pkl", model_pickle(TensorOps{}()), method, flags, std::move(spoil)},
                    {"t/data/0", std::string(24, '\1')}});
}

std::string tensor_file(TensorOps ops, const std::string& storage = std::string(24, '\1')) {
  return torch_zip(model_pickle(ops()), storage);
}

// 200,000 lists, each inside the next.
std::string deep_lists() {
  return std::string(200000, ']') + std::string(199999, 'a');
}

// A list of 20,000 items that is then copied again and again at a few bytes each.
std::string copy_bomb() {
  std::string out = "](";
  for (int i = 0; i < 20000; ++i) out += "N";
  out +=
      "eq\x01"
      "0cbuiltins\nset\nq\x02"
      "0";
  for (int i = 0; i < 10000; ++i) out += "h\x02h\x01\x85R0";
  return proto(out + "N");
}

// b = [a, a, …], c = [b, b, …], …: 10^12 values if it were expanded.
std::string shared_lists(std::string_view key) {
  std::string out = "}(" + text_op("model") + "}" + text_op("w") + TensorOps{}() + "s" + text_op(key) +
                    "]q\x01"
                    "0";
  for (char level = 1; level < 12; ++level) {
    out += "](";
    for (int i = 0; i < 10; ++i) out += std::string("h") + level;
    out += std::string("eq") + static_cast<char>(level + 1) + "0";
  }
  return proto(out + "}" + text_op("x") + "h\x0c" + "s" + "u");
}

std::vector<BrokenArchive> zip_cases() {
  using enum ErrorCode;
  const std::string good = good_file();
  std::string wrong_count = good;
  wrong_count[wrong_count.size() - 12] = 3;
  const std::string inner = build_zip({{"t/b", "y"}}).substr(0, 34);  // its local header and contents
  return {
      {"NotReallyDeflated", kMalformed, "does not inflate", spoiled_zip({}, 0, 8)},
      {"Bzip2", kUnsupported, "compressed", spoiled_zip({}, 0, 12)},
      {"Encrypted", kUnsupported, "encrypted", spoiled_zip({}, 1)},
      {"SameNameTwice", kMalformed, "twice", build_zip({{"t/data.pkl", "x"}, {"t/data.pkl", "x"}})},
      {"Overlap", kMalformed, "overlaps",
       build_zip({{"t/data.pkl", inner}, {"t/b", "y", 0, 0, [](TestEntry& entry) { entry.offset = 40; }}})},
      {"NoLocalHeader", kMalformed, "no header", spoiled_zip([](TestEntry& entry) { entry.offset = 7; })},
      {"HeaderOutside", kMalformed, "no header",
       spoiled_zip([](TestEntry& entry) { entry.offset = 0x7FFFFFFF; })},
      {"OtherName", kMalformed, "contradicts",
       spoiled_zip([](TestEntry& entry) { entry.local_name = "t/data.pkk"; })},
      {"OtherSize", kMalformed, "another size", spoiled_zip([](TestEntry& entry) { entry.local_size = 3; })},
      {"TooLarge", kMalformed, "leaves the file",
       spoiled_zip([](TestEntry& entry) { entry.local_size = entry.directory_size = 1000000; })},
      {"WideWithoutField", kMalformed, "zip64",
       spoiled_zip([](TestEntry& entry) { entry.directory_size = 0xFFFFFFFF; })},
      {"WrongChecksum", kMalformed, "checksum", spoiled_zip([](TestEntry& entry) { entry.crc = 1; })},
      {"WrongCount", kMalformed, "holds more", wrong_count},
      {"OnlyAnEnd", kUnsupported, "data.pkl", build_zip({})},
      {"AZipOfSomethingElse", kUnsupported, "data.pkl", build_zip({{"readme.txt", "hello"}})},
      {"TwoCheckpoints", kMalformed, "two checkpoints",
       build_zip({{"a/data.pkl", "x"}, {"b/data.pkl", "x"}})},
      {"BigEndian", kUnsupported, "big-endian", build_zip({{"t/data.pkl", "x"}, {"t/byteorder", "big"}})},
      {"NoEndian", kMalformed, "byte order", build_zip({{"t/data.pkl", "x"}, {"t/byteorder", "\x1b[31m"}})},
  };
}

std::vector<BrokenArchive> tensor_cases() {
  using enum ErrorCode;
  return {
      {"LargerThanStorage", kMalformed, "tensor 'w'", tensor_file({.shape = {2, 4}, .strides = {4, 1}})},
      {"OffsetPastEnd", kMalformed, "tensor 'w'", tensor_file({.offset = 1})},
      {"NegativeOffset", kMalformed, "tensor 'w'", tensor_file({.offset = -1})},
      {"NegativeStride", kMalformed, "tensor 'w'", tensor_file({.strides = {-3, 1}})},
      {"NegativeSize", kMalformed, "tensor 'w'", tensor_file({.shape = {-2, 3}})},
      {"ShapeOverflow", kMalformed, "tensor 'w'", tensor_file({.shape = {kHuge, kHuge}})},
      {"StrideOverflow", kMalformed, "tensor 'w'", tensor_file({.strides = {kHuge, kHuge}})},
      {"OffsetOverflow", kMalformed, "tensor 'w'", tensor_file({.offset = kHuge})},
      {"EmptyShapeHuge", kMalformed, "tensor 'w'", tensor_file({.offset = 7, .shape = {0, kHuge}})},
      {"StorageMissing", kMalformed, "tensor 'w'", tensor_file({.key = "7"})},
      {"StorageOutside", kMalformed, "not in the file", tensor_file({.key = "../../etc/passwd"})},
      {"StorageShort", kMalformed, "has 20 bytes, expected 6", tensor_file({}, std::string(20, '\1'))},
      {"StorageLong", kMalformed, "has 28 bytes, expected 6", tensor_file({}, std::string(28, '\1'))},
      {"StorageNegative", kMalformed, "elements", tensor_file({.elements = -1})},
      {"RanksDiffer", kMalformed, "axes", tensor_file({.strides = {1}})},
      {"OnlyComplex", kUnsupported, "no tensors",
       tensor_file(
           {.storage_type = "torch\nComplexFloatStorage\n", .elements = 3, .shape = {3}, .strides = {1}})},
      {"NoModel", kUnsupported, "no 'model'", torch_zip(proto("}" + text_op("epoch") + "K\1s"))},
      {"ModelWithoutTensors", kUnsupported, "no tensors", torch_zip(proto("}" + text_op("model") + "}s"))},
      {"NameTwice", kMalformed, "twice",
       torch_zip(proto("}" + text_op("model") + "}" + text_op("w") + TensorOps{}() + "s" + text_op("w") +
                       TensorOps{}() + "ss"))},
      {"NotADict", kUnsupported, "single value", torch_zip(proto(TensorOps{}()))},
      {"BadOptimizerStorage", kMalformed, "optimizer",
       torch_zip(model_pickle(TensorOps{}(), text_op("optimizer") + TensorOps{.key = "9"}()))},
      {"BillionArgs", kMalformed, "args", torch_zip(shared_lists("args"))},
      {"ArgsNoMapping", kMalformed, "args",
       torch_zip(model_pickle(TensorOps{}(), text_op("args") + text_op("[1, 2]")))},
  };
}

std::vector<BrokenArchive> pickle_cases() {
  using enum ErrorCode;
  const auto file = [](std::string_view body) { return torch_zip(proto(body)); };
  return {
      {"OsSystem", kMalformed, "'os.system'", file("cos\nsystem\n" + text_op("true") + "\x85R")},
      {"StackGlobal", kMalformed, "'posix.system'", file(text_op("posix") + text_op("system") + "\x93")},
      {"Eval", kMalformed, "'builtins.eval'", file("cbuiltins\neval\n" + text_op("1") + "\x85R")},
      {"TorchLoad", kMalformed, "'torch.load'", file("ctorch\nload\n")},
      {"EscapesInName", kMalformed, "'?[31m.x'", file("c\x1b[31m\nx\n")},
      {"CallsAType", kMalformed, "calls torch.FloatStorage", file("ctorch\nFloatStorage\n)R")},
      {"CallsAText", kMalformed, "not a name", file(text_op("x") + ")R")},
      {"ArgumentsNoTuple", kMalformed, "tuple", file("ccollections\nOrderedDict\n]R")},
      {"DeepLists", kUnsupported, "single value", file(deep_lists())},
      {"DeepTuples", kUnsupported, "single value", file(")" + std::string(300000, '\x85'))},
      {"CopyBomb", kMalformed, "grows", torch_zip(copy_bomb())},
      {"EndlessMarks", kMalformed, "left over", file(std::string(1000, '(') + "N")},
      {"MemoNeverSet", kMalformed, "never set", file("h\x07")},
      {"MemoOfNothing", kMalformed, "not there", file("q\x07")},
      {"PopsNothing", kMalformed, "not there", file("0")},
      {"PopsBelowMark", kMalformed, "not there", file("N(\x85")},
      {"NoMark", kMalformed, "never opened", file("Nt")},
      {"OddDict", kMalformed, "without a value", file("}(Nu")},
      {"ItemsIntoTuple", kMalformed, "another kind", file(")Na")},
      {"AttributesOfInt", kMalformed, "attributes", file("K\1}b")},
      {"TextPastEnd", kMalformed, "ends early", file("X\xff\xff\xff\xff")},
      {"HugeText", kMalformed, "ends early", file("\x8d" + std::string(8, '\xff'))},
      {"BadUtf8", kMalformed, "UTF-8", file(text_op("\xff"))},
      {"UnknownOpcode", kMalformed, "opcode 0xff", file("\xff")},
      {"NextBuffer", kMalformed, "opcode 0x97", file("\x97")},
      {"IntegerLine", kMalformed, "no integer", file("I1x\n")},
      {"LongLine", kMalformed, "no integer", file("L1.5L\n")},
      {"FloatLine", kMalformed, "no number", file("F\n")},
      {"TextLine", kMalformed, "escapes", file("S'a\n")},
      {"TextLineHalfEscape", kMalformed, "escapes", file("V\\u12\n")},
      {"MemoLine", kMalformed, "no number", file("Np-1\n")},
      {"InstRunsAProgram", kMalformed, "'os.system'", file("(" + text_op("x") + "ios\nsystem\n")},
      {"ObjOfNothing", kMalformed, "not there", file("(o")},
      {"NamedArgumentsForATensor", kMalformed, "named arguments",
       file("ccollections\nOrderedDict\n)}(" + text_op("a") + "Nu\x92")},
      {"ExtensionRegistry", kMalformed, "opcode 0x82", file("\x82\x01")},
      {"PersistentText", kMalformed, "persistent id", file("Pabc\n")},
      {"PersistentTextOfAnotherType", kMalformed, "persistent id",
       file("P('storage', <class 'torch.load'>, '0', 'cpu', 2)\n")},
      {"TypeInsideType", kMalformed, "inside another",
       file("ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nN)NtR")},
      {"PersistentOther", kMalformed, "persistent id", file(text_op("x") + "Q")},
      {"LeftOver", kMalformed, "left over", file("NN")},
      {"BytesBehind", kMalformed, "follow", torch_zip(proto("N") + "x")},
      {"NoStop", kMalformed, "ends early", torch_zip("\x80\x02N")},
      {"Protocol6", kMalformed, "protocol 6", torch_zip("\x80\x06N.")},
      {"ProtoTwice", kMalformed, "opcode 0x80", file("\x80\x02")},
      {"EmptyPickle", kMalformed, "ends early", torch_zip("")},
      {"NamelessGlobal", kMalformed, "inside a name", file("ctorch")},
      {"DictCallsItself", kUnsupported, "no 'model'", file("}q\x01" + text_op("a") + "h\x01s")},
  };
}

class BrokenTorchFile : public ::testing::TestWithParam<BrokenArchive> {};

TEST_P(BrokenTorchFile, IsRefusedWithItsReason) {
  const TestFolder folder;
  write_file(folder / "broken.pth", GetParam().bytes);
  const std::string message = expect_error(GetParam().code, [&] { Checkpoint::open(folder / "broken.pth"); });
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
  EXPECT_NE(message.find("broken.pth"), std::string::npos) << message;
}

std::string case_name(const ::testing::TestParamInfo<BrokenArchive>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Zip, BrokenTorchFile, ::testing::ValuesIn(zip_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Tensor, BrokenTorchFile, ::testing::ValuesIn(tensor_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Pickle, BrokenTorchFile, ::testing::ValuesIn(pickle_cases()), case_name);

Checkpoint open_bytes(const TestFolder& folder, const std::string& bytes) {
  write_file(folder / "file.pth", bytes);
  return Checkpoint::open(folder / "file.pth");
}

TEST(TorchFile, TestBuilderMakesGoodFiles) {
  const TestFolder folder;
  const Checkpoint checkpoint = open_bytes(folder, good_file());
  ASSERT_NE(checkpoint.find("w"), nullptr);
  EXPECT_EQ(checkpoint.find("w")->shape, (Shape{2, 3}));
  EXPECT_EQ(checkpoint.find("w")->strides, (std::vector<std::int64_t>{3, 1}));
}

TEST(TorchFile, EveryTruncationIsRefused) {
  const TestFolder folder;
  const std::string good = good_file();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(opens(folder, good.substr(0, size))) << size;
  }
  const std::string demo = read_file(fixture("demo.pth"));
  for (std::size_t size = 1; size < demo.size(); size = size * 3 + 7)
    EXPECT_FALSE(opens(folder, demo.substr(0, size)));
}

TEST(TorchFile, EveryByteFlipIsAnErrorOrHarmless) {
  const TestFolder folder;
  const std::string good =
      torch_zip(model_pickle(TensorOps{}(), text_op("args") + text_op("nbits: 64\nlist: [1, 2]\n")));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const unsigned flip : kByteFlips) opens(folder, flip_byte(good, i, flip));
  }
}

TEST(TorchFile, EveryByteFlipInsideThePickleIsAnErrorOrHarmless) {
  const TestFolder folder;
  const std::string pickle =
      model_pickle(TensorOps{}(), text_op("args") + text_op("nbits: 64\nlist: [1, 2]\n"));
  for (std::size_t i = 0; i < pickle.size(); ++i) {
    // With the right checksum, so that the pickle is read.
    for (const unsigned flip : kByteFlips) opens(folder, torch_zip(flip_byte(pickle, i, flip)));
  }
}

TEST(TorchFile, AcceptsAZipComment) {
  const TestFolder folder;
  const std::string pickle = model_pickle(TensorOps{}());
  EXPECT_TRUE(
      opens(folder, build_zip({{"t/data.pkl", pickle}, {"t/data/0", std::string(24, '\1')}}, "hello")));
}

TEST(TorchFile, AcceptsFilesWithoutChecksums) {
  // torch.serialization.set_crc32_options(False) leaves zeros.
  const TestFolder folder;
  EXPECT_TRUE(opens(folder, spoiled_zip([](TestEntry& entry) { entry.crc = 0; })));
}

TEST(TorchFile, AcceptsStateDictAndPlainStateDict) {
  const TestFolder folder;
  const std::string inner = "}" + text_op("w") + TensorOps{}() + "s";
  const Checkpoint plain = open_bytes(folder, torch_zip(proto(inner)));
  EXPECT_EQ(plain.tensors().size(), 1U);
  ASSERT_EQ(plain.sections().size(), 1U);
  EXPECT_EQ(plain.sections()[0].name, "model");
  EXPECT_EQ(plain.sections()[0].bytes, 24U);
  const Checkpoint wrapped = open_bytes(folder, torch_zip(proto("}" + text_op("state_dict") + inner + "s")));
  EXPECT_NE(wrapped.find("w"), nullptr);
}

TEST(TorchFile, CountsSharedAndCyclicValuesOnce) {
  const TestFolder folder;
  const Checkpoint checkpoint = open_bytes(folder, torch_zip(shared_lists("optimizer")));
  ASSERT_EQ(checkpoint.sections().size(), 2U);
  EXPECT_EQ(checkpoint.sections()[1].tensors, 0U);
  const std::string cycle = text_op("scheduler") + "]q\x01h\x01" + "a";
  EXPECT_EQ(open_bytes(folder, torch_zip(model_pickle(TensorOps{}(), cycle))).sections().size(), 2U);
}

TEST(TorchFile, ListsTrainingStateOfOtherTypes) {
  const TestFolder folder;
  const std::string doubles =
      TensorOps{.storage_type = "torch\nDoubleStorage\n", .elements = 3, .shape = {3}, .strides = {1}}();
  const Checkpoint checkpoint =
      open_bytes(folder, torch_zip(model_pickle(TensorOps{}(), text_op("optimizer") + doubles)));
  EXPECT_EQ(checkpoint.sections().back().tensors, 1U);
}

TEST(TorchFile, StridesOfZeroRepeatAndTakeNoMemory) {
  const TestFolder folder;
  const Checkpoint checkpoint = open_bytes(folder, tensor_file({.shape = {1LL << 40, 3}, .strides = {0, 1}}));
  std::vector<float> row(3);
  read_rows(*checkpoint.find("w"), (1LL << 40) - 1, 1LL << 40, row);
  EXPECT_EQ(checkpoint.find("w")->shape, (Shape{1LL << 40, 3}));
}

TEST(TorchFile, ReadsWhatTrainersPickle) {
  const TestFolder folder;
  const std::string parameter = "ctorch._utils\n_rebuild_parameter\n(" + TensorOps{}() +
                                "\x88"
                                "ccollections\nOrderedDict\n)RtR";
  const std::string state = text_op("args") + "cargparse\nNamespace\n)\x81}(" + text_op("nbits") + "K\x40" +
                            text_op("lr") + "G" + std::string("\x3f\xf0\0\0\0\0\0\0", 8) + text_op("amp") +
                            "\x89" + text_op("seed") + "N" + text_op("betas") + "(K\1K\2tub" +
                            text_op("extra") + "(" + "ccollections\ndefaultdict\nc__builtin__\ndict\n\x85R" +
                            "c__builtin__\nset\n](K\1K\2e\x85R" + "ctorch\nfloat32\n" + "ctorch\ndevice\n" +
                            text_op("cuda") + int_op(0) + "\x86R" + "ctorch\nSize\n(K\1K\2t\x85R" +
                            "\x8a\x0c" + std::string(12, '\x7f') + "B" + le(3, 4) + "abc" + "U\x02xy" + "t";
  const std::string pickle = model_pickle(parameter, state);
  const Checkpoint checkpoint = open_bytes(folder, torch_zip(pickle));
  EXPECT_NE(checkpoint.find("w"), nullptr);
  const ArgMap expected{{"amp", "false"}, {"betas.0", "1"}, {"betas.1", "2"},
                        {"lr", "1.0"},    {"nbits", "64"},  {"seed", "null"}};
  EXPECT_EQ(checkpoint.args(), expected);
}

TEST(TorchFile, ReadsProtocol4AndUntypedStorages) {
  const TestFolder folder;
  const auto text = [](std::string_view value) { return "\x8c" + le(value.size(), 1) + std::string(value); };
  const std::string tensor = text("torch._utils") + text("_rebuild_tensor_v3") + "\x93((" + text("storage") +
                             text("torch.storage") + text("UntypedStorage") + "\x93\x94" + text("0") +
                             text("cpu") + "K\x18tQ" + int_op(0) +
                             "K\6\x85K\1\x85\x89"
                             "ccollections\nOrderedDict\n)R" +
                             "ctorch\nfloat32\n" + "tR";
  const std::string pickle =
      "\x80\x04\x95" + le(100, 8) + "}" + text("model") + "}" + text("w") + tensor + "ss.";
  const Checkpoint checkpoint = open_bytes(folder, torch_zip(pickle));
  ASSERT_NE(checkpoint.find("w"), nullptr);
  EXPECT_EQ(checkpoint.find("w")->shape, Shape{6});
  EXPECT_EQ(checkpoint.find("w")->type, DType::kFloat32);
}

}  // namespace
}  // namespace sealite::checkpoint
