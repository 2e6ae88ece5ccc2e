// Which state dict is meant, what wraps its names, shards, and files that are something else.
#include <fmt/ranges.h>

#include <bit>
#include <limits>

#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

std::string state_dict(const std::vector<std::string>& names) {
  std::string out = "}(";
  for (const std::string& name : names) out += text_op(name) + TensorOps{}();
  return out + "u";
}

std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += text_op(key) + value;
  return out + "u";
}

const std::string kNetwork = state_dict({"detector.a", "embedder.b"});
const std::string kOther = state_dict({"weight"});

class Names : public ::testing::Test {
 protected:
  Checkpoint open(const std::string& body, const std::string& key = {}) const {
    write_file(folder_ / "file.pth", torch_zip(proto(body)));
    return Checkpoint::open(folder_ / "file.pth", key);
  }
  static std::vector<std::string> names(const Checkpoint& checkpoint) {
    std::vector<std::string> list;
    for (const auto& [name, tensor] : checkpoint.tensors()) list.push_back(name);
    return list;
  }
  std::string message(ErrorCode code, const std::string& body, const std::string& key = {}) const {
    return expect_error(code, [&] { open(body, key); });
  }
  TestFolder folder_;
};

using List = std::vector<std::string>;

TEST_F(Names, TheUsualDictIsTakenFirst) {
  const Checkpoint checkpoint = open(dict({{"ema", kNetwork}, {"model", kNetwork}, {"rng", TensorOps{}()}}));
  EXPECT_EQ(names(checkpoint), (List{"detector.a", "embedder.b"}));
  ASSERT_EQ(checkpoint.notes().size(), 1U);
  EXPECT_NE(checkpoint.notes()[0].find("'model'; there are others in 'ema'"), std::string::npos);
  EXPECT_TRUE(open(dict({{"state_dict", kNetwork}, {"other", kOther}})).notes().empty());
}

TEST_F(Names, AnyOtherDictIsFoundAndSaid) {
  for (const std::string key : {"model_state_dict", "params_ema", "ema", "weights"}) {
    const Checkpoint checkpoint = open(dict({{"epoch", "K\1"}, {key, kNetwork}, {"discriminator", kOther}}));
    EXPECT_EQ(names(checkpoint).size(), 2U);
    ASSERT_EQ(checkpoint.notes().size(), 1U) << key;
    EXPECT_NE(checkpoint.notes()[0].find(key), std::string::npos);
  }
  EXPECT_EQ(names(open(dict({{"a", dict({{"b", dict({{"c", kNetwork}})}})}}))).size(), 2U);
}

TEST_F(Names, SeveralAreListed) {
  const std::string body = dict({{"params", kNetwork}, {"params_ema", kNetwork.substr(0, kNetwork.size())}});
  const std::string text = message(ErrorCode::kUsage, body);
  EXPECT_NE(text.find("'params', 'params_ema'; say which with --key"), std::string::npos) << text;
  EXPECT_EQ(names(open(body, "params_ema")).size(), 2U);
  EXPECT_NE(message(ErrorCode::kUsage, body, "prams").find("there are 'params', 'params_ema'"),
            std::string::npos);
}

TEST_F(Names, WhatIsThereInsteadIsNamed) {
  EXPECT_NE(
      message(ErrorCode::kUnsupported, dict({{"epoch", "K\1"}, {"lr", "N"}})).find("it has 'epoch', 'lr'"),
      std::string::npos);
}

TEST_F(Names, WrappersAreTakenOffAndSaid) {
  for (const std::string prefix : {"module.", "_orig_mod.", "model.", "ema.", "module._orig_mod.", "a.b."}) {
    const Checkpoint checkpoint =
        open(dict({{"model", state_dict({prefix + "detector.a", prefix + "embedder.b", "n_averaged"})}}));
    EXPECT_EQ(names(checkpoint), (List{"detector.a", "embedder.b", "n_averaged"})) << prefix;
    EXPECT_EQ(checkpoint.notes().size(), 1U) << prefix;
  }
  EXPECT_EQ(names(open(state_dict({"detector.module.a", "embedder._orig_mod.b"}))),
            (List{"detector.a", "embedder.b"}));
}

TEST_F(Names, NamesThatFitStay) {
  const List kept{"detector.a", "ema.detector.a", "module.x"};
  EXPECT_EQ(names(open(state_dict(kept))), kept);
  // Taking it off would give one name twice.
  const List both{"detector.a", "detector.module.a"};
  EXPECT_EQ(names(open(state_dict(both))), both);
}

TEST_F(Names, TwoNetworksAreListed) {
  const std::string body = dict({{"state_dict", state_dict({"ema.detector.a", "net.detector.a"})}});
  const std::string text = message(ErrorCode::kUsage, body);
  EXPECT_NE(text.find("under 'ema', 'net'; say which with --key"), std::string::npos) << text;
  EXPECT_EQ(names(open(body, "state_dict.net")), (List{"detector.a", "ema.detector.a"}));
  EXPECT_NE(message(ErrorCode::kUsage, body, "state_dict.nett").find("no state dict called"),
            std::string::npos);
}

constexpr std::string_view kHeader =
    R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"__metadata__":{"v":"w","x":"y"}})";

TEST_F(Names, TiedNamesOfASafetensorsFile) {
  write_file(folder_ / "m", safetensors_file(kHeader, std::string(24, '\1')));
  const Checkpoint checkpoint = Checkpoint::open(folder_ / "m");
  EXPECT_EQ(names(checkpoint), (List{"v", "w"}));
  EXPECT_EQ(checkpoint.find("v")->bytes.data(), checkpoint.find("w")->bytes.data());
  EXPECT_EQ(checkpoint.args(), (ArgMap{{"x", "y"}}));
}

TEST_F(Names, TypesOfASafetensorsFile) {
  write_file(folder_ / "m", safetensors_file(R"({"c":{"dtype":"C64","shape":[1],"data_offsets":[0,8]},)"
                                             R"("d":{"dtype":"F64","shape":[2],"data_offsets":[8,24]},)"
                                             R"("f":{"dtype":"F4","shape":[3],"data_offsets":[24,26]},)"
                                             R"("u":{"dtype":"U16","shape":[2],"data_offsets":[26,30]}})",
                                             std::string(8, '\0') + le(std::bit_cast<std::uint64_t>(1.5), 8) +
                                                 le(std::bit_cast<std::uint64_t>(-1e300), 8) + "xy" +
                                                 le(7, 2) + le(65535, 2)));
  const Checkpoint checkpoint = Checkpoint::open(folder_ / "m");
  EXPECT_EQ(checkpoint.unreadable(), (UnreadableMap{{"c", "C64"}, {"f", "F4"}}));
  std::vector<float> values(2);
  read_rows(*checkpoint.find("d"), 0, 2, values);
  EXPECT_EQ(values, (std::vector<float>{1.5F, -std::numeric_limits<float>::infinity()}));
  read_rows(*checkpoint.find("u"), 0, 2, values);
  EXPECT_EQ(values, (std::vector<float>{7, 65535}));
}

class Shards : public Names {
 protected:
  void SetUp() override {
    write_file(folder_ / "a.safetensors",
               safetensors_file(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})",
                                std::string(24, '\1')));
    write_file(folder_ / "b.bin", torch_zip(proto(state_dict({"v"}))));
  }
  void index(std::string_view map) const {
    write_file(folder_ / "m.index.json",
               fmt::format(R"({{"metadata":{{"x":[1,{{}}]}},"weight_map":{{{}}}}})", map));
  }
  std::string refused(ErrorCode code, std::string_view map) const {
    index(map);
    return expect_error(code, [&] { Checkpoint::open(folder_ / "m.index.json"); });
  }
};

TEST_F(Shards, AreOneCheckpoint) {
  index(R"("w":"a.safetensors","v":"b.bin")");
  for (const std::string path : {"m.index.json", ""}) {
    const Checkpoint checkpoint = Checkpoint::open(folder_ / path);
    EXPECT_EQ(names(checkpoint), (List{"v", "w"}));
    EXPECT_EQ(checkpoint.shards().size(), 2U);
    EXPECT_GT(checkpoint.file_bytes(), std::filesystem::file_size(folder_ / "b.bin"));
  }
}

TEST_F(Shards, AreInTheIndexsOwnFolder) {
  for (const std::string_view file : {"../x", "/etc/passwd", "a/b", "..", ".", "", R"(a\\b)", R"(a\u0000)"}) {
    const std::string text = refused(ErrorCode::kMalformed, fmt::format(R"("w":"{}")", file));
    EXPECT_NE(text.find("own folder"), std::string::npos) << text;
  }
}

TEST_F(Shards, BrokenOnesAreRefused) {
  EXPECT_NE(refused(ErrorCode::kMalformed, R"("x":"a.safetensors")").find("does not have it"),
            std::string::npos);
  EXPECT_NE(refused(ErrorCode::kNotFound, R"("w":"c.bin")").find("cannot open"), std::string::npos);
  EXPECT_NE(refused(ErrorCode::kMalformed, R"("w":1)").find("no file's name"), std::string::npos);
  EXPECT_NE(refused(ErrorCode::kMalformed, R"("w":{})").find("an object"), std::string::npos);
  EXPECT_NE(refused(ErrorCode::kMalformed, R"("w":["a"])").find("a list"), std::string::npos);
  EXPECT_NE(refused(ErrorCode::kMalformed, R"("w":"a","w":"b")").find("twice"), std::string::npos);
  EXPECT_NE(refused(ErrorCode::kUnsupported, "").find("empty"), std::string::npos);
  write_file(folder_ / "m.index.json", R"({"weight_map":["a.safetensors"]})");
  EXPECT_FALSE(opens(folder_, R"({"weight_map":["a.safetensors"]})"));
  EXPECT_NE(refused(ErrorCode::kMalformed, R"("w":)").find("broken JSON"), std::string::npos);
  // An index is no shard.
  EXPECT_NE(refused(ErrorCode::kUnsupported, R"("w":"m.index.json")").find("JSON"), std::string::npos);
}

TEST_F(Shards, AFolderWithSeveralIndexesSaysSo) {
  index(R"("w":"a.safetensors")");
  write_file(folder_ / "n.index.json", "{}");
  EXPECT_NE(expect_error(ErrorCode::kNotFound, [&] { Checkpoint::open(folder_ / ""); }).find("several"),
            std::string::npos);
}

struct OtherFile {
  std::string name;
  std::string bytes;
  std::string says;
};

TEST_F(Names, OtherFilesAreNamed) {
  const std::vector<OtherFile> files{
      {"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"},
      {"html", "\xef\xbb\xbf \n<!DOCTYPE HTML><html>", "web page"},
      {"xml", "<?xml version=\"1.0\"?><Error/>", "XML message"},
      {"hdf5", "\x89HDF\r\n\x1a\n....", "HDF5"},
      {"tar", std::string(257, 'a') + "ustar" + std::string(300, '\0'), "tar archive"},
      {"onnx",
       std::string("\x08\x07\x12\x07pytorch\x1a\x03"
                   "2.0",
                   16),
       "ONNX"},
      {"gzip", "\x1f\x8b\x08....", "gunzip"},
      {"zstd", "\x28\xb5\x2f\xfd....", "unzstd"},
      {"tflite", "....TFL3........", "TFLite"},
      {"pickle", "\x80\x04N.", "bare Python pickle"},
      {"json", "{\"a\": 1}", "JSON"},
      {"pt2", build_zip({{"m/archive_format", "pt2"}, {"m/models/model.json", "{}"}}), "torch.export"},
      {"npz", build_zip({{"a.npy", "x"}}), ".npz"},
  };
  for (const OtherFile& file : files) {
    write_file(folder_ / file.name, file.bytes);
    const std::string text =
        expect_error(ErrorCode::kUnsupported, [&] { Checkpoint::open(folder_ / file.name); });
    EXPECT_NE(text.find(file.says), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace sealite::checkpoint
