#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "checkpoint/builders.h"
#include "e2e/demo_model.h"
#include "fixture_files.h"

namespace sealite {
namespace {

using Json = nlohmann::json;

TEST(Inspect, TorchCheckpoint) {
  const std::string path = fixture("chunkyseal_tiny.pth");
  const Outcome text = run_sealite({"inspect", path, "--tensors"});
  expect_success(text);
  for (const char* part :
       {"torch checkpoint", "optimizer", "nbits: 64", "detector.convnext.stages.0.0.dwconv.weight"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << part;
  }
  const Outcome outcome = run_sealite({"inspect", path, "--tensors", "--json"});
  expect_success(outcome);
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["format"], "torch");
  EXPECT_EQ(json["args"]["nbits"], "64");
  const auto linear = std::ranges::find_if(json["tensors"], [](const Json& tensor) {
    return tensor["name"] == "detector.pixel_decoder.linear.weight";
  });
  ASSERT_NE(linear, json["tensors"].end());
  EXPECT_EQ((*linear)["type"], "float32");
  EXPECT_EQ((*linear)["shape"].at(0), 65);
}

// The embedder shares a storage, and batch normalisation saves what it does not train.
TEST(Inspect, CountsParametersAsMakeCheckpointDoes) {
  const ScratchFolder folder;
  const std::string path = folder / "all.pth";
  const Outcome made = run_sealite({"make-checkpoint", "--card", asset("demo.card.yaml"), "-o", path});
  expect_success(made);
  EXPECT_NE(made.out.find("\nTensors: 280, 1678506 parameters,"), std::string::npos) << made.out;
  const Outcome text = run_sealite({"inspect", path});
  EXPECT_NE(text.out.find("\nModel: 280 tensors, 1678506 parameters\n"), std::string::npos) << text.out;
  EXPECT_EQ(Json::parse(run_sealite({"inspect", path, "--json"}).out)["parameters"], 1678506);
}

TEST(Inspect, Safetensors) {
  const ScratchFolder folder;
  write_text(
      folder / "two.safetensors",
      checkpoint::safetensors_file(
          R"({"__metadata__":{"made_by":"test"},"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})",
          "\x01\x02\x03\x04"));
  const Outcome outcome = run_sealite({"inspect", folder / "two.safetensors", "--tensors", "--json"});
  expect_success(outcome);
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["format"], "safetensors");
  EXPECT_EQ(json["args"]["made_by"], "test");
  EXPECT_EQ(json["tensors"].at(0)["type"], "float16");
}

TEST(Inspect, AFileCannotSteerTheTerminal) {
  const ScratchFolder folder;
  const std::string name = "w\\u001b]0;owned\\u0007\\u009b2J";  // sets a title, clears the screen
  write_text(folder / "evil.safetensors",
             checkpoint::safetensors_file(R"({"__metadata__":{"extractor_model":")" + name + R"("},")" +
                                              name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                          "\x01\x02\x03\x04"));
  const Outcome inspect = run_sealite({"inspect", folder / "evil.safetensors", "--tensors"});
  expect_success(inspect);
  EXPECT_NE(inspect.out.find("w?]0;owned??2J"), std::string::npos) << inspect.out;
  const Outcome convert =
      run_sealite({"convert", folder / "evil.safetensors", "-o", folder / "model.tflite"});
  expect_refusal(convert, ErrorCode::kMismatch, {});
  for (const std::string& text : {inspect.out, convert.err}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
  }
}

TEST(Inspect, Model) {
  const ScratchFolder folder;
  expect_success(convert_demo(folder / "demo.tflite"));
  const Outcome text = run_sealite({"inspect", folder / "demo.tflite", "--tensors"});
  expect_success(text);
  for (const char* part : {"TFLite model", "Signature 'detect':", "input   image (1, 3, 64, 64) float32",
                           "output  logits (1, 33) float32", "CONV_2D", "Metadata 'sealite':"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << part;
  }
  const Outcome outcome = run_sealite({"inspect", folder / "demo.tflite", "--tensors", "--json"});
  expect_success(outcome);
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["format"], "tflite");
  const Json metadata = Json::parse(json["metadata"]["sealite"].get<std::string>());
  EXPECT_EQ(metadata["bits"], 32);
  EXPECT_EQ(metadata["image_size"], 64);
  EXPECT_EQ(metadata["layout"], "nchw");
  EXPECT_EQ(metadata["precision"], "float32");
  EXPECT_FALSE(json["tensors"].empty());
}

TEST(Inspect, ClearErrors) {
  const ScratchFolder folder;
  write_text(folder / "notes.txt", "not a model");
  write_text(folder / "empty", "");
  expect_refusal(run_sealite({"inspect", folder / "missing"}), ErrorCode::kNotFound, {"missing"});
  expect_refusal(run_sealite({"inspect", folder.path()}), ErrorCode::kNotFound, {"not a regular file"});
  expect_refusal(run_sealite({"inspect", folder / "empty"}), ErrorCode::kMalformed, {"empty"});
  expect_refusal(run_sealite({"inspect", folder / "notes.txt"}), ErrorCode::kUnsupported, {".pth"});
  // A pipe must be refused, not waited for.
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_refusal(run_sealite({"inspect", folder / "pipe"}), ErrorCode::kNotFound, {"not a regular file"});
}

}  // namespace
}  // namespace sealite
