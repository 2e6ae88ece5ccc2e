#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <limits>

#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/torch_writer.h"
#include "e2e/demo_model.h"
#include "fixture_files.h"

namespace sealite {
namespace {

using checkpoint::NewTensor;
using checkpoint::TensorOps;

constexpr const char* kLinear = "detector.pixel_decoder.linear.weight";  // [33, 128]

// The demo checkpoint's tensors, ready to be spoiled and written again.
class DemoTensors {
 public:
  DemoTensors() : file_(checkpoint::Checkpoint::open(asset("demo.pth"))) {
    for (const auto& [name, view] : file_.tensors()) {
      NewTensor tensor;
      tensor.name = name;
      tensor.type = view.type;
      tensor.shape = view.shape;
      tensor.fill = [bytes = view.bytes](std::uint64_t offset, MutableByteView out) {
        std::memcpy(out.data(), bytes.data() + offset, out.size());
      };
      content_.model.push_back(std::move(tensor));
    }
  }
  NewTensor& operator[](std::string_view name) {
    return *std::ranges::find(content_.model, name, &NewTensor::name);
  }
  void add(NewTensor tensor) { content_.model.push_back(std::move(tensor)); }
  void remove(std::string_view name) {
    std::erase_if(content_.model, [&](const NewTensor& tensor) { return tensor.name == name; });
  }
  // The first floats of `tensor` become `values`.
  void overwrite(std::string_view name, std::vector<float> values) {
    NewTensor& tensor = (*this)[name];
    tensor.fill = [inner = tensor.fill, values = std::move(values)](std::uint64_t offset,
                                                                    MutableByteView out) {
      inner(offset, out);
      if (offset == 0) std::memcpy(out.data(), values.data(), values.size() * sizeof(float));
    };
  }
  void write(const std::filesystem::path& path) const { checkpoint::write_torch_file(path, content_); }

 private:
  checkpoint::Checkpoint file_;
  checkpoint::NewCheckpoint content_;
};

// One broken checkpoint in a folder of its own.
class BadCheckpoint : public ::testing::Test {
 protected:
  std::string path() const { return folder_ / "bad.pth"; }
  void write(const std::string& bytes) const { write_text(path(), bytes); }

  Outcome convert() const {
    return run_sealite(
        {"convert", path(), "-o", folder_ / "model.tflite", "--card", asset("demo.card.yaml")});
  }
  // convert refuses it and leaves nothing; inspect refuses it likewise.
  void expect_refused(ErrorCode code, const std::vector<std::string>& parts) const {
    expect_refusal(convert(), code, parts);
    expect_refusal(run_sealite({"inspect", path(), "--tensors"}), code, parts);
    EXPECT_EQ(folder_.entries(), 1) << "a file was left behind";
  }
  // The file itself is sound, so inspect shows it.
  void expect_misfit(const std::vector<std::string>& parts) const {
    expect_refusal(convert(), ErrorCode::kMismatch, parts);
    EXPECT_EQ(run_sealite({"inspect", path()}).status, 0);
    EXPECT_EQ(folder_.entries(), 1) << "a file was left behind";
  }

  ScratchFolder folder_;
};

TEST_F(BadCheckpoint, TruncatedZip) {
  const std::string whole = read_text(asset("demo.pth"));
  for (const std::size_t size : {std::size_t{4}, std::size_t{30}, std::size_t{4096}, whole.size() / 2,
                                 whole.size() - 100, whole.size() - 1}) {
    SCOPED_TRACE(size);
    write(whole.substr(0, size));
    expect_refused(ErrorCode::kMalformed, {"bad.pth"});
  }
}

TEST_F(BadCheckpoint, ZipBomb) {
  // 64 KB that claim to inflate to 4 GB: refused before memory is taken.
  using checkpoint::TestEntry;
  TestEntry bomb{.name = "t/data/0", .contents = std::string(65536, '\0'), .method = 8};
  bomb.real_size = 0xFFFFFFF0;
  const TensorOps bytes{
      .storage_type = "torch\nByteStorage\n", .elements = 0xFFFFFFF0, .shape = {0xFFFFFFF0}, .strides = {1}};
  write(checkpoint::build_zip({{"t/data.pkl", checkpoint::model_pickle(bytes())}, bomb}));
  expect_refused(ErrorCode::kUnsupported, {"compressed entries", "8 times"});
}

TEST_F(BadCheckpoint, PickleThatRunsAProgramIsReadAsDataAndRefused) {
  const std::string marker = folder_ / "marker";
  const std::string touch = checkpoint::text_op("touch " + marker);
  const std::string model = checkpoint::text_op("model") + "}" + checkpoint::text_op("w");
  const std::vector<std::pair<std::string, std::string>> attacks{
      {"os.system", "cos\nsystem\n" + touch + "\x85R"},
      {"posix.system", "cposix\nsystem\n(" + touch + "tR"},
      {"builtins.eval",
       "cbuiltins\neval\n(" + checkpoint::text_op("__import__('os').mknod('" + marker + "')") + "tR"},
      {"subprocess.Popen", "csubprocess\nPopen\n(" + touch + "tR"},
  };
  for (const auto& [name, attack] : attacks) {
    SCOPED_TRACE(name);
    write(checkpoint::torch_zip(checkpoint::proto(attack)));
    expect_refused(ErrorCode::kMalformed, {name});
    // The same inside an otherwise harmless state dict.
    write(checkpoint::torch_zip(checkpoint::proto("}(" + model + attack + "su")));
    expect_refused(ErrorCode::kMalformed, {name});
    EXPECT_FALSE(std::filesystem::exists(marker));
  }
  // What is refused does run in Python: the attack is a real one. Only tried on our own marker file.
  const std::string python =
      "import pickle; pickle.loads(b'cos\\nsystem\\n(V' + b'touch " + marker + "' + b'\\ntR.')";
  if (Process({"python3", "-c", python}).wait().status == 0) {
    EXPECT_TRUE(std::filesystem::exists(marker));
  }
}

TEST_F(BadCheckpoint, TensorLargerThanItsStorage) {
  TensorOps tensor;
  tensor.shape = {1000, 1000};
  tensor.strides = {1000, 1};
  write(checkpoint::torch_zip(checkpoint::model_pickle(tensor())));
  expect_refused(ErrorCode::kMalformed, {"tensor 'w'", "[1000, 1000]"});
  tensor.shape = {std::int64_t{1} << 62, 8};  // overflows 64 bits
  tensor.strides = {8, 1};
  write(checkpoint::torch_zip(checkpoint::model_pickle(tensor())));
  expect_refused(ErrorCode::kMalformed, {"tensor 'w'"});
}

TEST_F(BadCheckpoint, StorageThatIsNotThere) {
  TensorOps tensor;
  tensor.key = "17";
  write(checkpoint::torch_zip(checkpoint::model_pickle(tensor())));
  expect_refused(ErrorCode::kMalformed, {"tensor 'w'", "'17'"});
}

TEST_F(BadCheckpoint, MissingTensor) {
  DemoTensors demo;
  demo.remove(kLinear);
  demo.write(path());
  expect_misfit({kLinear, "card 'demo'"});
}

TEST_F(BadCheckpoint, WrongShape) {
  DemoTensors demo;
  demo[kLinear].shape = {128, 33};
  demo.write(path());
  expect_misfit({kLinear, "expected [33, 128]", "found [128, 33]"});
}

TEST_F(BadCheckpoint, WrongCard) {
  std::filesystem::copy_file(asset("demo.pth"), path());
  expect_refusal(run_sealite({"convert", path(), "-o", folder_ / "model.tflite", "--card", "chunkyseal"}),
                 ErrorCode::kMismatch, {"card 'chunkyseal'", "more tensors misfit", "give the right --card"});
  expect_refusal(run_sealite({"convert", path(), "-o", folder_ / "model.tflite", "--card", "no_such_card"}),
                 ErrorCode::kNotFound, {"'no_such_card'", "chunkyseal, pixelseal, videoseal_0.0"});
  expect_refusal(run_sealite({"convert", path(), "-o", folder_ / "model.tflite", "--card", path()}),
                 ErrorCode::kMalformed, {"card 'bad'"});
  EXPECT_EQ(folder_.entries(), 1);
}

TEST_F(BadCheckpoint, NotANumber) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  DemoTensors demo;
  demo.overwrite(kLinear, {kNan, kNan, kInfinity, -kInfinity, kNan});
  demo.write(path());
  expect_refusal(convert(), ErrorCode::kMalformed,
                 {kLinear, "5 NaN or infinite values", "--allow-non-finite"});
  EXPECT_EQ(folder_.entries(), 1) << "a file was left behind";
  const Outcome text = run_sealite({"convert", path(), "-o", folder_ / "model.tflite", "--card",
                                    asset("demo.card.yaml"), "--allow-non-finite"});
  EXPECT_EQ(text.status, 0);
  EXPECT_EQ(text.err, std::string("sealite: warning: tensor '") + kLinear +
                          "' has 5 NaN or infinite values: the model's answers will not be numbers\n");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "model.tflite"));
  const Outcome json = run_sealite({"convert", path(), "-o", folder_ / "model.tflite", "--card",
                                    asset("demo.card.yaml"), "--json", "--allow-non-finite"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["non_finite"][kLinear], 5);
  // What it answers is an error, and no message with a p-value.
  const Outcome detected =
      run_sealite({"detect", folder_ / "model.tflite", asset("coffee.png"), "--expect", "00000000"});
  expect_refusal(detected, ErrorCode::kMalformed, {"coffee.png", "NaN or infinite"});
  EXPECT_EQ(detected.out, "");
}

// What thop leaves behind, and an attention over frames.
TEST_F(BadCheckpoint, TensorsThatNoLayerReads) {
  DemoTensors demo;
  const auto add = [&](const char* name, DType type) {
    demo.add({name, type, {2}, {}, [](std::uint64_t, MutableByteView out) {
                std::memset(out.data(), 0, out.size());
              }});
  };
  add("detector.convnext.stages.0.0.total_params", DType::kFloat32);
  demo.write(path());
  const Outcome named = convert();
  EXPECT_EQ(named.status, 0);
  EXPECT_EQ(named.err,
            "sealite: warning: 1 tensor of the detector is read by no layer and left out: "
            "'detector.convnext.stages.0.0.total_params'\n");
  std::filesystem::remove(folder_ / "model.tflite");
  add("detector.convnext.stages.3.0.temp_block.attn.proj.weight", DType::kFloat32);
  demo.write(path());
  expect_misfit({"'detector.convnext.stages.3.0.temp_block.attn.proj.weight'", "no layer", "card 'demo'"});
}

TEST_F(BadCheckpoint, NoCheckpointAtAll) {
  write("");
  expect_refused(ErrorCode::kMalformed, {"empty"});
  write(std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15));
  expect_refused(ErrorCode::kMalformed, {"the version", "ends early"});
  write(read_text(asset("coffee.png")));
  expect_refused(ErrorCode::kUnsupported, {"a picture, not a checkpoint"});
  std::filesystem::remove(path());
  expect_refusal(convert(), ErrorCode::kNotFound, {"bad.pth", "No such file"});
  std::filesystem::create_directory(path());
  expect_refusal(convert(), ErrorCode::kNotFound, {"not a regular file"});
}

TEST_F(BadCheckpoint, BrokenSafetensors) {
  const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  write(checkpoint::safetensors_file(header, "1234"));  // half of its data
  expect_refused(ErrorCode::kMalformed, {"bad.pth"});
  write(checkpoint::le(std::uint64_t{1} << 40U, 8) + header);
  EXPECT_NE(convert().status, 0);
}

TEST_F(BadCheckpoint, DetectorThatIsNotSupportedYet) {
  std::ofstream(folder_ / "dino.yaml") << "args: {nbits: 16}\nextractor: {model: dino2}\n";
  const Outcome outcome = run_sealite(
      {"convert", fixture("videoseal_0.0_tiny.pth"), "-o", path(), "--card", folder_ / "dino.yaml"});
  expect_refusal(outcome, ErrorCode::kUnsupported, {"'dino2'", "ConvNeXtV2", "ViT"});
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace sealite
