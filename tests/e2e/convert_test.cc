#include <nlohmann/json.hpp>

#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "e2e/demo_model.h"
#include "fixture_files.h"

namespace sealite {
namespace {

using Json = nlohmann::json;

TEST(Convert, PrintsWhatTheGuidesConverterPrints) {
  const ScratchFolder folder;
  const Outcome outcome = convert_demo(folder / "demo.tflite");
  expect_success(outcome);
  for (const char* line :
       {"File: ", "Size: 3.65 MiB\n", "Quantization: FLOAT32\n", "Input: image (1, 3, 64, 64) float32",
        "Output: logits (1, 33) float32\n", "Estimated count of arithmetic ops: 0.036 G ops\n",
        "Equivalently: 0.018 G MACs\n", "Time: ", "peak memory: "}) {
    EXPECT_NE(outcome.out.find(line), std::string::npos) << line << " is not in\n" << outcome.out;
  }
  EXPECT_EQ(folder.entries(), 1);
}

TEST(Convert, Json) {
  const ScratchFolder folder;
  const Outcome outcome = convert_demo(folder / "demo.tflite", {"--json"});
  expect_success(outcome);
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["card"], "demo");
  EXPECT_EQ(json["bytes"], std::filesystem::file_size(folder / "demo.tflite"));
  EXPECT_EQ(json["precision"], "float32");
  EXPECT_EQ(json["input_shape"], (std::vector<int>{1, 3, 64, 64}));
  EXPECT_EQ(json["output_shape"], (std::vector<int>{1, 33}));
  EXPECT_EQ(json["non_finite"], Json::object());
  EXPECT_TRUE(json["checkpoint_hash"].get<std::string>().starts_with("blake3:")) << json["checkpoint_hash"];
  EXPECT_GT(json["operators"], 0);
  EXPECT_GT(json["peak_memory_bytes"], 0);
}

TEST(Convert, TheSameBytesEveryTime) {
  const ScratchFolder folder;
  expect_success(convert_demo(folder / "a.tflite"));
  expect_success(convert_demo(folder / "b.tflite"));
  EXPECT_EQ(read_text(folder / "a.tflite"), read_text(folder / "b.tflite"));
}

TEST(Convert, NhwcHasNoTranspose) {
  const ScratchFolder folder;
  expect_success(convert_demo(folder / "nchw.tflite"));
  expect_success(convert_demo(folder / "nhwc.tflite", {"--layout", "nhwc"}));
  const Json nchw = Json::parse(run_sealite({"inspect", folder / "nchw.tflite", "--json"}).out);
  const Json nhwc = Json::parse(run_sealite({"inspect", folder / "nhwc.tflite", "--json"}).out);
  EXPECT_EQ(nchw["operators"]["TRANSPOSE"], 1);
  EXPECT_FALSE(nhwc["operators"].contains("TRANSPOSE"));
  EXPECT_EQ(nhwc["signatures"].at(0)["inputs"].at(0)["shape"], (std::vector<int>{1, 64, 64, 3}));
}

TEST(Convert, BothParts) {
  const ScratchFolder folder;
  const Outcome outcome = convert_demo(folder / "demo.tflite", {"--part", "both"});
  expect_success(outcome);
  for (const char* line :
       {"demo.detector.tflite\n", "Output: logits (1, 33) float32\n", "demo.embedder.tflite\n",
        "Input: message (1, 32) float32, zeros and ones\n", "Output: delta (1, 1, 64, 64) float32\n"}) {
    EXPECT_NE(outcome.out.find(line), std::string::npos) << line << " is not in\n" << outcome.out;
  }
  EXPECT_EQ(folder.entries(), 2);
  const Json model = Json::parse(run_sealite({"inspect", folder / "demo.embedder.tflite", "--json"}).out);
  const Json& signature = model["signatures"].at(0);
  EXPECT_EQ(signature["key"], "embed");
  EXPECT_EQ(signature["inputs"].size(), 2U);
}

TEST(Convert, AnEmbedder) {
  const ScratchFolder folder;
  const Outcome outcome = convert_demo(folder / "e.tflite", {"--part", "embedder", "--json"});
  expect_success(outcome);
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["part"], "embedder");
  EXPECT_EQ(json["message_shape"], (std::vector<int>{1, 32}));
  EXPECT_EQ(json["output_shape"], (std::vector<int>{1, 1, 64, 64}));
  expect_refusal(convert_demo(folder / "no.tflite", {"--part", "embedder", "--dynamic"}),
                 ErrorCode::kUnsupported, {"--dynamic", "--image-size"});
  expect_refusal(convert_demo(folder / "no.tflite", {"--part", "both", "--quantize-report", "r.json"}),
                 ErrorCode::kUsage, {"--quantize-report", "--part"});
}

TEST(Convert, DumpsAndStopsAfterAPass) {
  const ScratchFolder folder;
  const Outcome dump = convert_demo(folder / "demo.tflite", {"--dump-after", "fold-norm-mean"});
  EXPECT_EQ(dump.status, 0);
  EXPECT_EQ(dump.err.rfind("input  %0 : float32 [1, 3, 64, 64]  # image [picture]\n", 0), 0U)
      << dump.err.substr(0, 200);
  EXPECT_NE(dump.err.find("LAYER_NORM"), std::string::npos);
  EXPECT_NE(dump.err.find("\noutput %"), std::string::npos);

  // Before the depthwise split there is one 7x7 for each of the ten blocks, after it there are three.
  expect_success(convert_demo(folder / "early.tflite", {"--stop-after", "lower-grn"}));
  const Json early = Json::parse(run_sealite({"inspect", folder / "early.tflite", "--json"}).out);
  const Json full = Json::parse(run_sealite({"inspect", folder / "demo.tflite", "--json"}).out);
  EXPECT_EQ(early["operators"]["DEPTHWISE_CONV_2D"], 10);
  EXPECT_EQ(full["operators"]["DEPTHWISE_CONV_2D"], 70);

  for (const char* option : {"--dump-after", "--stop-after"}) {
    expect_refusal(convert_demo(folder / "no.tflite", {option, "polish"}), ErrorCode::kUsage,
                   {"'polish'", "split-depthwise"});
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "no.tflite"));
}

// The tensors of a checkpoint as a .safetensors file.
std::string as_safetensors(const checkpoint::Checkpoint& file) {
  Json header;
  std::string data;
  for (const auto& [name, tensor] : file.tensors()) {
    const std::size_t begin = data.size();
    data += as_text(tensor.bytes);
    header[name] = {{"dtype", tensor.type == DType::kInt64 ? "I64" : "F32"},
                    {"shape", tensor.shape},
                    {"data_offsets", {begin, data.size()}}};
  }
  return checkpoint::safetensors_file(header.dump(), data);
}

TEST(Convert, SafetensorsGivesTheSameFile) {
  const ScratchFolder folder;
  const auto torch = fixture("chunkyseal_tiny_detector_only.pth");
  const std::string card = fixture("chunkyseal_tiny.card.yaml");
  write_text(folder / "same.safetensors", as_safetensors(checkpoint::Checkpoint::open(torch)));
  expect_success(run_sealite({"convert", torch, "-o", folder / "a.tflite", "--card", card}));
  expect_success(
      run_sealite({"convert", folder / "same.safetensors", "-o", folder / "b.tflite", "--card", card}));
  EXPECT_EQ(read_text(folder / "a.tflite"), read_text(folder / "b.tflite"));
}

}  // namespace
}  // namespace sealite
