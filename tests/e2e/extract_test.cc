#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "e2e/run_sealite.h"
#include "fixture_files.h"

namespace sealite {
namespace {

// The detector converts to the same bytes from the trainer's file and from each file made of it: the model
// holds a hash of the detector's tensors.
TEST(Extract, ConvertsToTheSameModel) {
  const ScratchFolder folder;
  for (const std::string name : {"chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny", "demo"}) {
    SCOPED_TRACE(name);
    const std::string checkpoint = fixture(name + ".pth");
    const auto convert = [&](const std::filesystem::path& from, const std::string& to) {
      expect_success(
          run_sealite({"convert", from, "-o", folder / to, "--card", fixture(name + ".card.yaml")}));
      return read_text(folder / to);
    };
    const std::string direct = convert(checkpoint, name + ".direct.tflite");
    // Both formats of both parts from two of the models, each once from the others.
    const bool crosswise = name == "chunkyseal_tiny" || name == "demo";
    for (const std::string part : {"detector", "all"}) {
      for (const std::string output : {"x.pth", "x.safetensors"}) {
        if (!crosswise && (part == "all") != (output == "x.pth")) continue;
        expect_success(run_sealite({"extract", checkpoint, "-o", folder / output, "--part", part}));
        EXPECT_EQ(convert(folder / output, name + ".extracted.tflite"), direct) << part << " " << output;
      }
    }
  }
}

// The card is derived from args, also where they are a safetensors file's metadata.
TEST(Extract, ConvertsWithoutACard) {
  const ScratchFolder folder;
  for (const std::string output : {"x.pth", "x.safetensors"}) {
    expect_success(run_sealite({"extract", asset("demo.pth"), "-o", folder / output}));
    expect_success(run_sealite({"convert", folder / output, "-o", folder / "x.tflite"}));
  }
}

TEST(Extract, SaysWhatItDid) {
  const ScratchFolder folder;
  const Outcome outcome = run_sealite({"extract", fixture("chunkyseal_tiny.pth"), "-o", folder / "x.pth"});
  expect_success(outcome);
  for (const char* part :
       {"File: ", "x.pth\nSize: 0.92 MiB\n", "Kept: detector, 81 tensors (81 float32), 0.90 MiB\n",
        "Args: kept, the same YAML text\n", "Epoch: 601\n",
        "Dropped: embedder of the model, 131 tensors, 1.88 MiB\n",
        "Dropped: optimizer, 285 tensors, 0.03 MiB\n", "Dropped: scheduler, 0 tensors",
        "Time: ", "peak memory: "}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << "no '" << part << "' in: " << outcome.out;
  }
  const std::string source = fixture("pixelseal_tiny.pth");
  const std::string shared =
      run_sealite({"extract", source, "-o", folder / "x.pth", "--part", "embedder"}).out;
  EXPECT_NE(shared.find("Shared: embedder.unet.msg_processor"), std::string::npos) << shared;
  const std::string twice =
      run_sealite({"extract", source, "-o", folder / "x.safetensors", "--part", "all"}).out;
  EXPECT_NE(twice.find("Written twice: embedder.unet.msg_processor"), std::string::npos) << twice;
  EXPECT_NE(twice.find("Kept: the model, 246 tensors"), std::string::npos) << twice;
}

TEST(Extract, Json) {
  const ScratchFolder folder;
  const Outcome outcome = run_sealite({"extract", fixture("chunkyseal_tiny.pth"), "-o",
                                       folder / "x.safetensors", "--dtype", "bf16", "--json"});
  expect_success(outcome);
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["format"], "safetensors");
  EXPECT_EQ(json["bytes"], std::filesystem::file_size(folder / "x.safetensors"));
  EXPECT_EQ(json["tensors"], 81);
  EXPECT_EQ(json["dtypes"], nlohmann::json({{"bfloat16", 81}}));
  EXPECT_EQ(json["args"], "metadata");
  EXPECT_EQ(json["epoch"], 601);
  EXPECT_EQ(json["dropped_sections"][1]["name"], "optimizer");
  EXPECT_EQ(json["dropped_prefixes"][1]["name"], "embedder");
  EXPECT_GT(json["peak_memory_bytes"], 0);
}

TEST(Extract, WarnsOfWhatBecameInfinite) {
  const ScratchFolder folder;
  const std::string header = R"({"detector.\u001b[2J":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  file += header;
  for (const float value : {1.0F, 1e6F, -1e6F}) file.append(reinterpret_cast<const char*>(&value), 4);
  write_text(folder / "x.safetensors", file);
  const Outcome outcome =
      run_sealite({"extract", folder / "x.safetensors", "-o", folder / "x.pth", "--dtype", "fp16"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err,
            "sealite: warning: tensor 'detector.?[2J': 2 values were too large for this type and became "
            "infinite; use bf16 or float32\n");
}

TEST(Extract, ClearErrors) {
  const ScratchFolder folder;
  const std::string source = asset("demo.pth");
  expect_refusal(run_sealite({"extract", source, "-o", folder / "x.bin"}), ErrorCode::kUsage,
                 {"x.bin", ".safetensors"});
  expect_refusal(run_sealite({"extract", source}), ErrorCode::kUsage, {"--output"});
  expect_refusal(run_sealite({"extract", source, "-o", folder / "x.pth", "--part", "head"}),
                 ErrorCode::kUsage, {"--part"});
  expect_refusal(run_sealite({"extract", source, "-o", folder / "x.pth", "--dtype", "int8"}),
                 ErrorCode::kUsage, {"--dtype"});
  expect_refusal(run_sealite({"extract", folder / "no.pth", "-o", folder / "x.pth"}), ErrorCode::kNotFound,
                 {"no.pth"});
  expect_refusal(run_sealite({"extract", fixture("chunkyseal_tiny_detector_only.pth"), "-o", folder / "x.pth",
                              "--part", "embedder"}),
                 ErrorCode::kMismatch, {"'embedder.'", "'detector'"});
  expect_refusal(run_in_shell(R"(ulimit -f 1000; "$@")", {"extract", source, "-o", folder / "x.pth"}),
                 ErrorCode::kIo, {"bytes", "File too large"});
  expect_refusal(run_in_shell(R"(ulimit -f 1000; "$@")", {"extract", source, "-o", folder / "x.safetensors"}),
                 ErrorCode::kIo, {"bytes", "File too large"});
  EXPECT_EQ(folder.entries(), 0);
}

TEST(Extract, TheCheckpointItselfAndAnOlderFileStay) {
  const ScratchFolder folder;
  std::filesystem::copy_file(asset("demo.pth"), folder / "demo.pth");
  std::filesystem::create_hard_link(folder / "demo.pth", folder / "link.pth");
  for (const char* name : {"demo.pth", "link.pth"}) {
    expect_refusal(run_sealite({"extract", folder / "demo.pth", "-o", folder / name}), ErrorCode::kUsage,
                   {"the checkpoint itself"});
  }
  EXPECT_EQ(read_text(folder / "demo.pth"), read_text(asset("demo.pth")));
  write_text(folder / "older.pth", "older");
  expect_refusal(run_sealite({"extract", folder / "none.pth", "-o", folder / "older.pth"}),
                 ErrorCode::kNotFound, {});
  EXPECT_EQ(read_text(folder / "older.pth"), "older");
  expect_success(run_sealite({"extract", folder / "demo.pth", "-o", folder / "older.pth"}));
  EXPECT_GT(std::filesystem::file_size(folder / "older.pth"), 1000000U);
}

TEST(Extract, WhatIsMadeForTrainingGivesTheDetectorAlone) {
  const ScratchFolder folder;
  const std::string card = fixture("chunkyseal_tiny.card.yaml");
  expect_success(run_sealite(
      {"make-checkpoint", "--card", card, "-o", folder / "full.pth", "--training-state", "detector"}));
  expect_success(run_sealite({"extract", folder / "full.pth", "-o", folder / "detector.pth"}));
  const auto full = checkpoint::Checkpoint::open(folder / "full.pth");
  const auto detector = checkpoint::Checkpoint::open(folder / "detector.pth");
  ASSERT_EQ(full.sections().size(), 4U);
  EXPECT_EQ(full.sections()[2].name, "optimizer");
  EXPECT_EQ(full.sections()[2].tensors, 3 * detector.tensors().size());
  std::uint64_t bytes = 0;
  for (const auto& [name, view] : detector.tensors()) bytes += view.bytes.size();
  EXPECT_EQ(full.sections()[2].bytes, 2 * bytes + 4 * detector.tensors().size());
  expect_refusal(
      run_sealite({"make-checkpoint", "--card", card, "-o", folder / "x.pth", "--training-state", "all"}),
      ErrorCode::kUsage, {"--training-state"});
}

}  // namespace
}  // namespace sealite
