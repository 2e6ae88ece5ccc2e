// What is copied out of a checkpoint, what stays behind, and what is refused.
#include "sealite/extract.h"

#include <bit>

#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

using Pairs = std::vector<std::pair<std::string, std::uint64_t>>;

std::string float_bytes(const std::vector<float>& values) {
  std::string bytes;
  for (const float value : values) bytes += le(std::bit_cast<std::uint32_t>(value), 4);
  return bytes;
}

class Extraction : public ::testing::Test {
 protected:
  ExtractReport extract_bytes(const std::string& bytes, const std::string& output,
                              const ExtractOptions& options = {}) const {
    write_file(folder_ / "in", bytes);
    return extract(folder_ / "in", folder_ / output, options);
  }
  std::string refused(ErrorCode code, const std::string& bytes, const std::string& output,
                      const ExtractOptions& options = {}) const {
    const std::string text = expect_error(code, [&] { extract_bytes(bytes, output, options); });
    EXPECT_FALSE(std::filesystem::exists(folder_ / output)) << "left behind";
    return text;
  }
  Checkpoint made(const std::string& name) const { return Checkpoint::open(folder_ / name); }
  std::vector<float> values(const Checkpoint& checkpoint, std::string_view name) const {
    const TensorView* tensor = checkpoint.find(name);
    if (tensor == nullptr) return {};
    std::vector<float> found(element_count(tensor->shape).value_or(0));
    read_rows(*tensor, 0, tensor->shape.empty() ? 1 : tensor->shape[0], found);
    return found;
  }
  TestFolder folder_;
};

// Names and tensors, one storage of six floats for all of them.
std::string network(const std::vector<std::pair<std::string, std::string>>& tensors,
                    std::string_view more = {}) {
  std::string model = "}(";
  for (const auto& [name, tensor] : tensors) model += text_op(name) + tensor;
  return torch_zip(proto("}(" + text_op("model") + model + "u" + std::string(more) + "u"),
                   float_bytes({1, 2, 3, 4, 5, 6}));
}

TEST_F(Extraction, APartIsCopiedBitForBit) {
  const Checkpoint source = Checkpoint::open(fixture("chunkyseal_tiny.pth"));
  for (const ExtractPart part : {ExtractPart::kDetector, ExtractPart::kEmbedder, ExtractPart::kAll}) {
    for (const std::string output : {"x.pth", "x.pt", "x.safetensors"}) {
      ExtractOptions options;
      options.part = part;
      const ExtractReport report = extract(source.path(), folder_ / output, options);
      const Checkpoint copy = made(output);
      EXPECT_EQ(report.format, output == "x.safetensors" ? "safetensors" : "torch");
      EXPECT_EQ(report.bytes, std::filesystem::file_size(folder_ / output));
      EXPECT_EQ(report.epoch, 601);
      EXPECT_EQ(copy.epoch(), 601);
      EXPECT_EQ(report.tensors, copy.tensors().size());
      EXPECT_EQ(report.args, output == "x.safetensors" ? ExtractedArgs::kMetadata : ExtractedArgs::kText);
      EXPECT_EQ(copy.args().at("nbits"), source.args().at("nbits"));
      for (const auto& [name, tensor] : copy.tensors()) {
        ASSERT_NE(source.find(name), nullptr) << name;
        EXPECT_EQ(as_text(tensor.bytes), as_text(source.find(name)->bytes)) << name;
      }
    }
  }
}

TEST_F(Extraction, WhatStaysBehindIsCounted) {
  const ExtractReport report = extract(fixture("chunkyseal_tiny.pth"), folder_ / "x.pth");
  EXPECT_EQ(report.tensors, 81U);
  std::map<std::string, DroppedPart> dropped;
  for (const auto* parts : {&report.dropped_sections, &report.dropped_prefixes})
    for (const DroppedPart& part : *parts) dropped[part.name] = part;
  EXPECT_EQ(dropped.at("optimizer").tensors, 285U);
  EXPECT_EQ(dropped.at("optimizer").bytes, 32268U);
  EXPECT_EQ(dropped.at("embedder").tensors, 131U);
  EXPECT_FALSE(dropped.contains("args") || dropped.contains("epoch") || dropped.contains("model"));
}

constexpr std::string_view kTypesHeader =
    R"({"detector.b":{"dtype":"BF16","shape":[2],"data_offsets":[32,36]},)"
    R"("detector.d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},)"
    R"("detector.f":{"dtype":"F32","shape":[2],"data_offsets":[24,32]},)"
    R"("detector.h":{"dtype":"F16","shape":[2],"data_offsets":[36,40]},)"
    R"("detector.i":{"dtype":"I64","shape":[1],"data_offsets":[16,24]}})";

// 1.5 and what is near the largest number of each type.
std::string types_file() {
  return safetensors_file(kTypesHeader, le(std::bit_cast<std::uint64_t>(1.5), 8) +
                                            le(std::bit_cast<std::uint64_t>(1e300), 8) + le(7, 8) +
                                            float_bytes({1.5F, 1e6F}) + le(0x3FC0, 2) + le(0x7F00, 2) +
                                            le(0x3E00, 2) + le(0x7BFF, 2));
}

TEST_F(Extraction, FloatsChangeTheirTypeAndNothingElseDoes) {
  const auto types = [&](ExtractType type, const std::string& output) {
    ExtractOptions options;
    options.dtype = type;
    return extract_bytes(types_file(), output, options);
  };
  for (const std::string output : {"x.pth", "x.safetensors"}) {
    const ExtractReport wide = types(ExtractType::kFloat32, output);
    EXPECT_EQ(wide.overflowed, (Pairs{{"detector.d", 1}}));
    EXPECT_EQ(values(made(output), "detector.h"), (std::vector<float>{1.5F, 65504}));
    EXPECT_EQ(values(made(output), "detector.b")[0], 1.5F);
    const ExtractReport half = types(ExtractType::kFloat16, output);
    EXPECT_EQ(half.overflowed, (Pairs{{"detector.d", 1}, {"detector.f", 1}, {"detector.b", 1}}));
    EXPECT_EQ(half.dtypes, (std::vector<std::pair<std::string, std::size_t>>{{"float16", 4}, {"int64", 1}}));
    EXPECT_EQ(values(made(output), "detector.d")[0], 1.5F);
    const ExtractReport brain = types(ExtractType::kBFloat16, output);
    EXPECT_EQ(brain.overflowed, (Pairs{{"detector.d", 1}}));
    EXPECT_EQ(values(made(output), "detector.f"), (std::vector<float>{1.5F, 999424}));
    EXPECT_EQ(values(made(output), "detector.i"), std::vector<float>{7});
    EXPECT_TRUE(types(ExtractType::kAsInFile, output).overflowed.empty());
    EXPECT_EQ(made(output).find("detector.d")->type, DType::kFloat64);
  }
}

TEST_F(Extraction, WhatSharesMemoryStillDoesWhereTheFormatCan) {
  const std::string file = network({{"detector.a", TensorOps{}()}, {"detector.b", TensorOps{}()}});
  const ExtractReport torch = extract_bytes(file, "x.pth");
  EXPECT_EQ(torch.shared, (std::vector<std::pair<std::string, std::string>>{{"detector.b", "detector.a"}}));
  EXPECT_EQ(torch.tensor_bytes, 24U);
  const Checkpoint copy = made("x.pth");
  EXPECT_EQ(copy.find("detector.a")->bytes.data(), copy.find("detector.b")->bytes.data());
  const ExtractReport twice = extract_bytes(file, "x.safetensors");
  EXPECT_EQ(twice.shared, torch.shared);
  EXPECT_EQ(twice.tensor_bytes, 48U);
}

TEST_F(Extraction, StridedTensorsBecomeRowMajor) {
  const std::string file = network({{"detector.t", TensorOps{.shape = {3, 2}, .strides = {1, 3}}()},
                                    {"detector.v", TensorOps{.offset = 1, .shape = {2}, .strides = {2}}()}});
  extract_bytes(file, "x.safetensors");
  EXPECT_EQ(values(made("x.safetensors"), "detector.t"), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(values(made("x.safetensors"), "detector.v"), (std::vector<float>{2, 4}));
  EXPECT_TRUE(made("x.safetensors").find("detector.t")->contiguous());
}

TEST_F(Extraction, ArgsKeepTheirKind) {
  const std::string args = text_op("args") + "}(" + text_op("nbits") + "K\x20" + text_op("format") + "K\1" +
                           text_op("lr") + "G" + std::string("\x3f\xf8\0\0\0\0\0\0", 8) + text_op("path") +
                           "cpathlib\nPosixPath\n)Ru";
  const std::string file = network({{"detector.a", TensorOps{}()}}, args);
  const ExtractReport dict = extract_bytes(file, "x.pth");
  EXPECT_EQ(dict.args, ExtractedArgs::kDict);
  EXPECT_EQ(dict.dropped_args, std::vector<std::string>{"path"});
  EXPECT_EQ(made("x.pth").args(), (ArgMap{{"format", "1"}, {"lr", "1.5"}, {"nbits", "32"}}));
  const ExtractReport texts = extract_bytes(file, "x.safetensors");
  EXPECT_EQ(texts.args, ExtractedArgs::kMetadata);
  // The word that readers of such files look for takes its place.
  EXPECT_EQ(texts.dropped_args, (std::vector<std::string>{"path", "format"}));
  EXPECT_EQ(made("x.safetensors").args(), (ArgMap{{"format", "pt"}, {"lr", "1.5"}, {"nbits", "32"}}));
  // And back: texts become what they stand for.
  EXPECT_EQ(extract(folder_ / "x.safetensors", folder_ / "y.pth").args, ExtractedArgs::kDict);
  PlainValue expected{.kind = PlainValue::Kind::kDict};
  expected.set("lr", PlainValue::of_float(1.5));
  expected.set("nbits", PlainValue::of_int(32));
  EXPECT_EQ(made("y.pth").plain_args(), expected);
  EXPECT_EQ(extract_bytes(network({{"detector.a", TensorOps{}()}}), "x.pth").args, ExtractedArgs::kNone);
}

TEST_F(Extraction, AnEpochThatArgsContradictGivesWay) {
  const std::string file =
      network({{"detector.a", TensorOps{}()}},
              text_op("epoch") + "K\5" + text_op("args") + "}" + text_op("epoch") + "K\x09s");
  const ExtractReport report = extract_bytes(file, "x.safetensors");
  EXPECT_EQ(report.epoch, std::nullopt);
  EXPECT_EQ(made("x.safetensors").epoch(), 9);
  EXPECT_EQ(extract_bytes(file, "x.pth").epoch, 5);
}

TEST_F(Extraction, RefusalsLeaveNothing) {
  const std::string file = network({{"detector.a", TensorOps{}()}});
  EXPECT_NE(refused(ErrorCode::kUsage, file, "x.bin").find("extension"), std::string::npos);
  ExtractOptions embedder;
  embedder.part = ExtractPart::kEmbedder;
  EXPECT_NE(refused(ErrorCode::kMismatch, file, "x.pth", embedder).find("start with 'detector'"),
            std::string::npos);
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 10; ++i) many.emplace_back(fmt::format("n{}.a", i), TensorOps{}());
  const std::string listed = refused(ErrorCode::kMismatch, network(many), "x.pth");
  EXPECT_NE(listed.find("'n7', …"), std::string::npos) << listed;
  EXPECT_EQ(listed.find("'n8'"), std::string::npos) << listed;
  const std::string longest = "detector." + std::string(1015, 'n');
  EXPECT_NE(refused(ErrorCode::kUnsupported, network({{longest + "n", TensorOps{}()}}), "x.pth")
                .find("has 1025 bytes"),
            std::string::npos);
  EXPECT_EQ(extract_bytes(network({{longest, TensorOps{}()}}), "y.pth").tensors, 1U);
  ExtractOptions all;
  all.part = ExtractPart::kAll;
  EXPECT_NE(
      refused(ErrorCode::kUnsupported, network({{"", TensorOps{}()}}), "x.pth", all).find("has 0 bytes"),
      std::string::npos);
  EXPECT_NE(refused(ErrorCode::kUsage, network({{"__metadata__", TensorOps{}()}}), "x.safetensors", all)
                .find("cannot be called"),
            std::string::npos);
}

// 32 MiB out of a file of a kilobyte; 16 are never refused.
TEST_F(Extraction, ASmallFileStaysSmall) {
  const auto repeated = [](std::int64_t size) {
    return network({{"detector.a", TensorOps{.shape = {size}, .strides = {0}}()}});
  };
  for (const std::string output : {"x.pth", "x.safetensors"}) {
    EXPECT_NE(refused(ErrorCode::kUnsupported, repeated(1 << 23), output).find("share storages"),
              std::string::npos);
    EXPECT_EQ(extract_bytes(repeated(1 << 22), "y" + output).tensor_bytes, std::uint64_t{1} << 24U);
  }
}

TEST_F(Extraction, TheCheckpointAndItsShardsAreNotWrittenTo) {
  const std::string file = network({{"detector.a", TensorOps{}()}});
  write_file(folder_ / "a.pth", file);
  write_file(folder_ / "m.index.json", R"({"weight_map":{"detector.a":"a.pth"}})");
  for (const std::string source : {"a.pth", "m.index.json"}) {
    const std::string text =
        expect_error(ErrorCode::kUsage, [&] { extract(folder_ / source, folder_ / "a.pth"); });
    EXPECT_NE(text.find("is the checkpoint itself"), std::string::npos) << text;
  }
  EXPECT_EQ(read_file(folder_ / "a.pth"), file);
  EXPECT_EQ(extract(folder_ / "m.index.json", folder_ / "b.pth").tensors, 1U);
}

}  // namespace
}  // namespace sealite::checkpoint
