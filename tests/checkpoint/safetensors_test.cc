#include "checkpoint/safetensors.h"

#include "checkpoint/builders.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

const std::string kGoodHeader =
    R"({"__metadata__":{"nbits":"64"},"b":{"dtype":"F16","shape":[3],"data_offsets":[16,22]},)"
    R"("a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"n":{"dtype":"I64","shape":[],"data_offsets":[22,30]}}   )";

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const TestFolder folder;
  write_file(folder / "m.bin", safetensors_file(kGoodHeader, std::string(30, '\0')));
  const Checkpoint checkpoint = Checkpoint::open(folder / "m.bin");
  EXPECT_EQ(checkpoint.format(), "safetensors");
  EXPECT_EQ(checkpoint.tensors().size(), 3U);
  EXPECT_EQ(checkpoint.find("a")->shape, (Shape{2, 2}));
  EXPECT_EQ(checkpoint.find("a")->strides, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(checkpoint.find("b")->type, DType::kFloat16);
  EXPECT_EQ(checkpoint.find("b")->bytes.size(), 6U);
  EXPECT_TRUE(checkpoint.find("n")->shape.empty());
  EXPECT_EQ(checkpoint.args().at("nbits"), "64");
  EXPECT_EQ(checkpoint.sections()[0].bytes, 30U);
}

struct BrokenFile {
  std::string name;
  std::string message;
  std::string header;
  std::size_t data = 16;
  ErrorCode code = ErrorCode::kMalformed;
};

std::ostream& operator<<(std::ostream& out, const BrokenFile& broken) {
  return out << broken.name;
}

std::string one(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return fmt::format(R"({{"a":{{"dtype":"{}","shape":{},"data_offsets":{}}}}})", dtype, shape, offsets);
}

std::string many_ones() {
  std::string out = "[1";
  for (int i = 0; i < 200; ++i) out += ",1";
  return out + "]";
}

std::string deep_json() {
  return R"({"a":{"shape":)" + std::string(100000, '[') + std::string(100000, ']') + "}}";
}

std::vector<BrokenFile> cases() {
  return {
      {"Hole", "hole", one("F32", "[2]", "[8,16]")},
      {"DataBehind", "end at byte", one("F32", "[2]", "[0,8]")},
      {"Overlap", "overlap",
       R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})"},
      {"OffsetsOutside", "leave", one("F32", "[4]", "[8,24]")},
      {"OffsetsReversed", "leave", one("F32", "[4]", "[16,0]")},
      {"WrongSize", "needs 12", one("F32", "[3]", "[0,16]")},
      {"ShapeOverflow", "more than", one("F32", "[4611686018427387904,4]", "[0,16]")},
      {"ShapeOverflow2", "more than", one("F32", "[9223372036854775807,9223372036854775807]", "[0,16]")},
      {"NegativeSize", "negative", one("F32", "[-4]", "[0,16]")},
      {"FloatSize", "no 64-bit integer", one("F32", "[4.0]", "[0,16]")},
      {"HugeSize", "no 64-bit integer", one("F32", "[18446744073709551616]", "[0,16]")},
      {"UnsignedSize", "number", one("F32", "[18446744073709551615]", "[0,16]")},
      {"ThreeOffsets", "two data_offsets", one("F32", "[4]", "[0,16,16]")},
      {"NoShape", "lacks", R"({"a":{"dtype":"F32","data_offsets":[0,16]}})"},
      {"UnknownType", "'F99'", one("F99", "[2]", "[0,16]"), 16, ErrorCode::kUnsupported},
      {"TensorTwice", "appears twice",
       R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})"},
      {"KeyTwice", "repeats", R"({"a":{"dtype":"F32","shape":[4],"shape":[4],"data_offsets":[0,16]}})"},
      {"MetadataTwice", "twice", R"({"__metadata__":{},"__metadata__":{}})"},
      {"MetadataNested", "wrong place", R"({"__metadata__":{"a":{"b":"c"}}})"},
      {"MetadataNumber", "wrong place", R"({"__metadata__":{"a":1}})"},
      {"UnknownKey", "unknown key", R"({"a":{"strides":[1]}})"},
      {"TensorNumber", "wrong place", R"({"a":1})"},
      {"TensorText", "wrong place", R"({"a":"b"})"},
      {"TensorNull", "wrong place", R"({"a":null})"},
      {"ListOfLists", "wrong place", one("F32", "[[4]]", "[0,16]")},
      {"ObjectInList", "wrong place", one("F32", "[{}]", "[0,16]")},
      {"Deep", "wrong place", deep_json()},
      {"BrokenJson", "broken JSON", R"({"a":)"},
      {"TwoValues", "broken JSON", R"({}{})"},
      {"BadUtf8", "broken JSON", "{\"\xff\":{}}"},
      {"NoTensors", "no tensors", "{}", 0, ErrorCode::kUnsupported},
      {"ManyAxes", "axes", one("F32", many_ones(), "[0,16]")},
  };
}

class BrokenSafetensors : public ::testing::TestWithParam<BrokenFile> {};

TEST_P(BrokenSafetensors, IsRefusedWithItsReason) {
  const TestFolder folder;
  write_file(folder / "x.safetensors",
             safetensors_file(GetParam().header, std::string(GetParam().data, '\1')));
  const std::string message =
      expect_error(GetParam().code, [&] { Checkpoint::open(folder / "x.safetensors"); });
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(All, BrokenSafetensors, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Safetensors, RefusesAHugeHeader) {
  const TestFolder folder;
  for (const std::uint64_t length : {std::uint64_t{100'000'001}, ~std::uint64_t{0}, std::uint64_t{1000}}) {
    write_file(folder / "x", le(length, 8) + "{}");
    const auto message = expect_error(ErrorCode::kMalformed, [&] { Checkpoint::open(folder / "x"); });
    EXPECT_NE(message.find("length"), std::string::npos) << message;
  }
}

TEST(Safetensors, EveryByteFlipAndTruncationIsAnErrorOrHarmless) {
  const TestFolder folder;
  const std::string good = safetensors_file(kGoodHeader, std::string(30, '\0'));
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(opens(folder, good.substr(0, i))) << i;
    for (const unsigned flip : kByteFlips) opens(folder, flip_byte(good, i, flip));
  }
}

}  // namespace
}  // namespace sealite::checkpoint
