// TorchScript archives, files of torch before 1.6, deflated entries, bytes behind a zip.
#include <bit>

#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

// 1.0 to 6.0
std::string six_floats() {
  std::string bytes;
  for (const float value : {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F})
    bytes += le(std::bit_cast<std::uint32_t>(value), 4);
  return bytes;
}

std::vector<float> values_of(const Checkpoint& checkpoint, std::string_view name) {
  const TensorView* tensor = checkpoint.find(name);
  if (tensor == nullptr) return {};
  std::vector<float> values(element_count(tensor->shape).value_or(0));
  read_rows(*tensor, 0, tensor->shape.empty() ? 1 : tensor->shape[0], values);
  return values;
}

const std::vector<float> kSix{1, 2, 3, 4, 5, 6};

class Containers : public ::testing::Test {
 protected:
  Checkpoint open(const std::string& bytes, const std::string& key = {}) const {
    write_file(folder_ / "file", bytes);
    return Checkpoint::open(folder_ / "file", key);
  }
  std::string refused(ErrorCode code, const std::string& bytes) const {
    return expect_error(code, [&] { open(bytes); });
  }
  TestFolder folder_;
};

std::string script(const std::string& root) {
  return build_zip({{"t/code/a.py", "import os"},
                    {"t/constants.pkl", "not even a pickle"},
                    {"t/data.pkl", proto(root)},
                    {"t/data/0", six_floats()}});
}

TEST_F(Containers, ATorchScriptsAttributesAreNames) {
  const std::string inner =
      script_op("a.Linear", text_op("training") + "\x88" + text_op("weight") + TensorOps{}());
  const std::string outer = script_op("a.b.Root", text_op("detector") + inner + text_op("scale") + "K\2" +
                                                      text_op("list") + "](" + TensorOps{}() + "e");
  const Checkpoint checkpoint = open(script(outer));
  EXPECT_EQ(checkpoint.format(), "torchscript");
  EXPECT_EQ(checkpoint.tensors().size(), 1U);
  EXPECT_EQ(values_of(checkpoint, "detector.weight"), kSix);
  ASSERT_EQ(checkpoint.sections().size(), 1U);
  EXPECT_TRUE(checkpoint.sections()[0].opaque.empty()) << "its own classes are what it is made of";
}

TEST_F(Containers, ATorchScriptThatHoldsItselfIsRefused) {
  // Twice, so that the names would grow without end.
  const std::string cycle =
      "c__torch__\nRoot\n)\x81q\x01}(" + text_op("a") + "h\x01" + text_op("b") + "h\x01" + "ub";
  EXPECT_NE(refused(ErrorCode::kMalformed, script(cycle)).find("without end"), std::string::npos);
}

// Two attributes that are the same module, twenty times one inside another: a million names.
TEST_F(Containers, ATorchScriptThatSharesItsModulesIsLimited) {
  std::string module = script_op("M", text_op("w") + TensorOps{}()) + "q\x01";
  for (int level = 0; level < 24; ++level)
    module += "0" + script_op("M", text_op("a") + "h\x01" + text_op("b") + "h\x01") + "q\x01";
  EXPECT_NE(refused(ErrorCode::kMalformed, script(module)).find("without end"), std::string::npos);
}

// 5,000 names of one tensor out of 70 KB, where a hundred modules are the same.
TEST_F(Containers, ATorchScriptsNamesAreNotMoreThanItsTensors) {
  std::string inner = text_op("t") + TensorOps{}() + "q\x02";
  for (int i = 0; i < 49; ++i) inner += text_op(fmt::format("t{}", i)) + "h\x02";
  const auto root = [&](int modules) {
    std::string outer = text_op("m") + script_op("M", inner) + "q\x01";
    for (int i = 1; i < modules; ++i) outer += text_op(fmt::format("m{}", i)) + "h\x01";
    return script(script_op("Root", outer));
  };
  EXPECT_EQ(open(root(80)).tensors().size(), 4000U);
  EXPECT_NE(refused(ErrorCode::kMalformed, root(100)).find("without end"), std::string::npos);
}

TEST_F(Containers, ATorchScriptWithoutTensorsSaysSo) {
  EXPECT_NE(refused(ErrorCode::kUnsupported, script(script_op("M", text_op("a") + "N"))).find("no tensors"),
            std::string::npos);
}

TEST_F(Containers, AFileOfOldTorchIsRead) {
  const std::string file =
      legacy_file(model_pickle(TensorOps{}(), text_op("epoch") + "K\3"), {{"0", six_floats()}});
  for (const std::string& bytes : {file, file + "\n"}) {
    const Checkpoint checkpoint = open(bytes);
    EXPECT_EQ(checkpoint.format(), "legacy torch");
    EXPECT_EQ(values_of(checkpoint, "w"), kSix);
    EXPECT_EQ(checkpoint.epoch(), 3);
  }
}

// torch before 0.4: tensors are made empty and get their state; a storage may be a part of another.
TEST_F(Containers, AFileOfOldestTorchIsRead) {
  const std::string storage = "(" + text_op("storage") + "ctorch\nFloatStorage\n" + text_op("0") +
                              text_op("cpu") + int_op(6) + "(" + text_op("7") + int_op(2) + int_op(4) + "ttQ";
  const std::string tensor =
      "ctorch\nFloatTensor\n)\x81(" + storage + int_op(1) + tuple_op({3}) + tuple_op({1}) + "tb";
  EXPECT_EQ(values_of(open(legacy_file(model_pickle(tensor), {{"0", six_floats()}})), "w"),
            (std::vector<float>{4, 5, 6}));
}

TEST_F(Containers, AnOldFileThatIsCutIsRefusedEverywhere) {
  const std::string file = legacy_file(model_pickle(TensorOps{}()), {{"0", six_floats()}});
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(opens(folder_, file.substr(0, size))) << size;
}

TEST_F(Containers, AnOldFileWithAnyByteChangedIsAnErrorOrHarmless) {
  const std::string file = legacy_file(model_pickle(TensorOps{}()), {{"0", six_floats()}});
  for (std::size_t i = 0; i < file.size(); ++i)
    for (const unsigned flip : kByteFlips) opens(folder_, flip_byte(file, i, flip));
}

TEST_F(Containers, AnOldFilesStoragesAreChecked) {
  const std::string pickle = model_pickle(TensorOps{}());
  EXPECT_NE(refused(ErrorCode::kMalformed, legacy_file(pickle, {{"1", six_floats()}})).find("of no tensor"),
            std::string::npos);
  EXPECT_NE(refused(ErrorCode::kMalformed, legacy_file(pickle, {})).find("not in the file"),
            std::string::npos);
  EXPECT_NE(refused(ErrorCode::kMalformed, legacy_file(pickle, {{"0", six_floats()}, {"0", six_floats()}}))
                .find("twice"),
            std::string::npos);
  std::string huge = legacy_file(pickle, {{"0", six_floats()}});
  huge.replace(huge.size() - 32, 8, le(~std::uint64_t{0} / 2, 8));
  EXPECT_NE(refused(ErrorCode::kMalformed, huge).find("that follow"), std::string::npos);
  std::string big = legacy_file(pickle, {{"0", six_floats()}});
  big.replace(big.find("little_endian") + 13, 1, "\x89");
  EXPECT_NE(refused(ErrorCode::kUnsupported, big).find("big-endian"), std::string::npos);
}

TEST_F(Containers, DeflatedEntriesAreRead) {
  const std::string pickle = model_pickle(TensorOps{}());
  const Checkpoint checkpoint =
      open(build_zip({deflated_entry("t/data.pkl", pickle), deflated_entry("t/data/0", six_floats())}));
  EXPECT_EQ(values_of(checkpoint, "w"), kSix);
  // What was released is still there: memory is no file that could be read again.
  release_pages(checkpoint.find("w")->bytes);
  EXPECT_EQ(values_of(checkpoint, "w"), kSix);
}

TEST_F(Containers, DeflatedEntriesThatLieAreRefused) {
  const std::string pickle = model_pickle(TensorOps{}());
  const auto with = [&](const std::function<void(TestEntry&)>& change) {
    TestEntry entry = deflated_entry("t/data/0", six_floats());
    change(entry);
    return build_zip({{"t/data.pkl", pickle}, entry});
  };
  EXPECT_NE(refused(ErrorCode::kMalformed, with([](TestEntry& entry) { entry.contents.pop_back(); }))
                .find("inflate"),
            std::string::npos);
  EXPECT_NE(
      refused(ErrorCode::kMalformed, with([](TestEntry& entry) { entry.contents += "x"; })).find("inflate"),
      std::string::npos);
  EXPECT_NE(
      refused(ErrorCode::kMalformed, with([](TestEntry& entry) { entry.real_crc ^= 1U; })).find("checksum"),
      std::string::npos);
  // It says 24 bytes and holds 48, and the other way round.
  EXPECT_NE(refused(ErrorCode::kMalformed,
                    with([](TestEntry& entry) { entry.contents = deflated(six_floats() + six_floats()); }))
                .find("inflate"),
            std::string::npos);
  EXPECT_NE(refused(ErrorCode::kMalformed, with([](TestEntry& entry) { entry.contents = deflated("123"); }))
                .find("inflate"),
            std::string::npos);
}

TEST_F(Containers, ADeflateBombIsRefusedBeforeItTakesMemory) {
  const std::string pickle =
      model_pickle(TensorOps{.elements = 1 << 28, .shape = {1 << 28}, .strides = {1}}());
  const std::string zeros(std::size_t{1} << 22U, '\0');  // 4 MiB in 4 KB, which say that they are 1 GiB
  TestEntry entry = deflated_entry("t/data/0", zeros);
  entry.real_size = 1U << 30U;
  EXPECT_NE(refused(ErrorCode::kUnsupported, build_zip({{"t/data.pkl", pickle}, entry})).find("8 times"),
            std::string::npos);
}

// A kilobyte could else become two million values.
TEST_F(Containers, ADeflatedPickleStaysSmall) {
  const auto with = [](std::size_t lists) {
    const std::string value = text_op("x") + "](" + std::string(lists, ']') + "e";
    return build_zip(
        {deflated_entry("t/data.pkl", model_pickle(TensorOps{}(), value)), {"t/data/0", six_floats()}});
  };
  EXPECT_EQ(values_of(open(with(260000)), "w"), kSix);
  EXPECT_NE(refused(ErrorCode::kUnsupported, with(263000)).find("8 times"), std::string::npos);
}

TEST_F(Containers, BytesBehindAZipAreNotLookedAt) {
  const std::string file = torch_zip(model_pickle(TensorOps{}()), six_floats());
  EXPECT_EQ(values_of(open(file + "\n"), "w"), kSix);
  EXPECT_EQ(values_of(open(file + std::string(60000, '\0')), "w"), kSix);
  EXPECT_NE(refused(ErrorCode::kMalformed, file + std::string(70000, '\0')).find("no end record"),
            std::string::npos);
}

}  // namespace
}  // namespace sealite::checkpoint
