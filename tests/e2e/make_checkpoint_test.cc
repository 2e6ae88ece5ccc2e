#include "e2e/run_sealite.h"
#include "fixture_files.h"

namespace sealite {
namespace {

Outcome make(const std::filesystem::path& path, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"make-checkpoint", "--card", fixture("pixelseal_tiny.card.yaml"), "-o",
                                     path};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_sealite(arguments);
}

TEST(MakeCheckpoint, TheSeedDecidesTheBytes) {
  const ScratchFolder a;
  const ScratchFolder b;
  const ScratchFolder c;
  expect_success(make(a / "model.pth", {"--seed", "7"}));
  expect_success(make(b / "model.pth", {"--seed", "7"}));
  expect_success(make(c / "model.pth", {"--seed", "8"}));
  EXPECT_EQ(read_text(a / "model.pth"), read_text(b / "model.pth"));
  EXPECT_NE(read_text(a / "model.pth"), read_text(c / "model.pth"));
}

TEST(MakeCheckpoint, BothPartsConvertWithoutACard) {
  const ScratchFolder folder;
  for (const std::string part : {"all", "detector"}) {
    const auto checkpoint = folder / (part + ".pth");
    expect_success(make(checkpoint, {"--part", part}));
    expect_success(run_sealite({"convert", checkpoint, "-o", folder / (part + ".tflite")}));
  }
  EXPECT_GT(std::filesystem::file_size(folder / "all.pth"),
            std::filesystem::file_size(folder / "detector.pth"));
}

TEST(MakeCheckpoint, ClearErrors) {
  const ScratchFolder folder;
  const std::string output = folder / "x.pth";
  expect_refusal(run_sealite({"make-checkpoint", "--card", "pixelsale", "-o", output}), ErrorCode::kNotFound,
                 {"pixelsale", "chunkyseal, pixelseal, videoseal_0.0"});
  expect_refusal(run_sealite({"make-checkpoint", "--card", "pixelseal", "--part", "head", "-o", output}),
                 ErrorCode::kUsage, {"--part"});
  expect_refusal(make(folder / "missing" / "x.pth", {}), ErrorCode::kIo, {"No such file or directory"});
  EXPECT_EQ(folder.entries(), 0);
}

}  // namespace
}  // namespace sealite
