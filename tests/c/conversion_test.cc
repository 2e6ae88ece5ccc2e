#include <array>
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>

#include "c/handle.h"

namespace sealite {
namespace {

using CConversion = DemoModels;

nlohmann::json json_of(const sealite_report* report) {
  std::size_t needed = 0;
  EXPECT_TRUE(succeeds(sealite_report_json(report, nullptr, 0, &needed)));
  std::string text(needed, '#');
  EXPECT_TRUE(
      fails(sealite_report_json(report, text.data(), needed - 1, &needed), SEALITE_USAGE, "room for"));
  EXPECT_EQ(text.find_first_not_of('#'), std::string::npos);
  EXPECT_TRUE(succeeds(sealite_report_json(report, text.data(), needed, &needed)));
  EXPECT_EQ(text.back(), '\0');
  text.pop_back();
  return nlohmann::json::parse(text);
}

std::size_t files_in(const std::filesystem::path& folder) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

sealite_convert_options demo_options(const char* card) {
  auto options = sized<sealite_convert_options>();
  options.card = card;
  return options;
}

TEST_F(CConversion, TheReportSaysWhatWasWritten) {
  const ScratchFolder folder;
  sealite_convert_options options = demo_options(kCard);
  options.part = SEALITE_PART_BOTH;
  options.quantize = "int8";
  options.layout = SEALITE_NHWC;
  const std::array<const char*, 1> keep{"head.*=float32"};
  options.keep = keep.data();
  options.keep_count = 1;
  sealite_report* opened = nullptr;
  ASSERT_TRUE(
      succeeds(sealite_convert_into(nullptr, kCheckpoint, (folder / "new").c_str(), &options, &opened)));
  const ReportHandle report(opened);
  const nlohmann::json json = json_of(opened);
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["part"], "detector");
  EXPECT_EQ(json[1]["part"], "embedder");
  EXPECT_EQ(json[0]["precision"], "int8");
  EXPECT_EQ(json[0]["input_shape"], nlohmann::json({1, 64, 64, 3}));
  EXPECT_EQ(json[1]["message_shape"], nlohmann::json({1, 32}));
  EXPECT_TRUE(std::filesystem::exists(json[0]["file"].get<std::string>()));
  EXPECT_EQ(json[0]["bytes"], std::filesystem::file_size(json[0]["file"].get<std::string>()));
}

TEST_F(CConversion, CalibratesOnPixels) {
  const ScratchFolder folder;
  const Gradient picture(100, 80);
  const sealite_pixels view = picture.view();
  const std::array<const sealite_pixels*, 1> pictures{&view};
  sealite_convert_options options = demo_options(kCard);
  options.quantize = "int8";
  options.layer_errors = 1;
  options.calibrate = pictures.data();
  options.calibrate_count = 1;
  sealite_report* opened = nullptr;
  ASSERT_TRUE(
      succeeds(sealite_convert(nullptr, kCheckpoint, (folder / "demo.tflite").c_str(), &options, &opened)));
  const ReportHandle report(opened);
  const nlohmann::json json = json_of(opened);
  EXPECT_TRUE(json[0]["layers"][0].contains("output_error")) << json;

  sealite_pixels without = view;
  without.planes[0] = nullptr;
  const std::array<const sealite_pixels*, 1> wrong{&without};
  options.calibrate = wrong.data();
  EXPECT_NE(sealite_convert(nullptr, kCheckpoint, (folder / "2.tflite").c_str(), &options, nullptr),
            SEALITE_OK);
  options.calibrate = nullptr;
  EXPECT_TRUE(fails(sealite_convert(nullptr, kCheckpoint, (folder / "2.tflite").c_str(), &options, nullptr),
                    SEALITE_USAGE, "'calibrate'"));
}

TEST_F(CConversion, WrongOptionsAreUsageAndLeaveNoFile) {
  const ScratchFolder folder;
  const std::string output = folder / "demo.tflite";
  const auto convert = [&](auto&& change) {
    sealite_convert_options options = demo_options(kCard);
    change(options);
    auto* report = reinterpret_cast<sealite_report*>(&options);
    const int code = sealite_convert(nullptr, kCheckpoint, output.c_str(), &options, &report);
    EXPECT_EQ(report, nullptr);
    return code;
  };
  EXPECT_TRUE(fails(convert([](auto& options) { options.part = 3; }), SEALITE_USAGE, "'part'"));
  EXPECT_TRUE(fails(convert([](auto& options) { options.layout = -1; }), SEALITE_USAGE, "'layout'"));
  EXPECT_TRUE(fails(convert([](auto& options) { options.quantize = "int3"; }), SEALITE_USAGE, "int3"));
  EXPECT_TRUE(fails(convert([](auto& options) { options.keep_count = 1; }), SEALITE_USAGE, "'keep'"));
  EXPECT_TRUE(fails(convert([](auto& options) { options.struct_size = 8; }), SEALITE_USAGE, "struct_size"));
  EXPECT_TRUE(fails(sealite_convert(nullptr, nullptr, output.c_str(), nullptr, nullptr), SEALITE_USAGE,
                    "'checkpoint'"));
  EXPECT_TRUE(
      fails(sealite_convert(nullptr, kCheckpoint, nullptr, nullptr, nullptr), SEALITE_USAGE, "'output'"));
  EXPECT_TRUE(fails(sealite_convert(nullptr, "absent.pth", output.c_str(), nullptr, nullptr),
                    SEALITE_NOT_FOUND, "absent.pth"));
  EXPECT_EQ(files_in(folder.path()), 0U);
}

TEST_F(CConversion, ACancelledConversionLeavesNoFile) {
  const ScratchFolder folder;
  auto host = sized<sealite_context_options>();
  std::atomic<int> asked = 0;
  host.user = &asked;
  host.cancelled = [](void* user) -> std::int32_t { return ++*static_cast<std::atomic<int>*>(user) > 3; };
  const ContextHandle context = open_context(host);
  const sealite_convert_options options = demo_options(kCard);
  sealite_report* report = nullptr;
  EXPECT_EQ(sealite_convert(context.get(), kCheckpoint, (folder / "demo.tflite").c_str(), &options, &report),
            130);
  EXPECT_GT(asked, 3);
  EXPECT_STRNE(sealite_last_error(), "");
  EXPECT_EQ(report, nullptr);
  EXPECT_EQ(files_in(folder.path()), 0U);
}

TEST_F(CConversion, ProgressComesWithTheStepsName) {
  const ScratchFolder folder;
  auto host = sized<sealite_context_options>();
  struct Seen {
    std::mutex mutex;
    std::vector<std::string> steps;
    bool beyond = false;
  } seen;
  host.threads = 2;
  host.user = &seen;
  host.progress = [](void* user, const char* step, std::uint64_t done, std::uint64_t total) {
    auto& all = *static_cast<Seen*>(user);
    const std::lock_guard lock(all.mutex);
    all.steps.emplace_back(step);
    all.beyond = all.beyond || (total != 0 && done > total);
  };
  const ContextHandle context = open_context(host);
  sealite_convert_options options = demo_options(kCard);
  const Gradient picture(100, 80);
  const sealite_pixels view = picture.view();
  const std::vector<const sealite_pixels*> pictures(16, &view);
  options.quantize = "int8";
  options.gptq = 1;
  options.calibrate = pictures.data();
  options.calibrate_count = pictures.size();
  ASSERT_TRUE(succeeds(
      sealite_convert(context.get(), kCheckpoint, (folder / "demo.tflite").c_str(), &options, nullptr)));
  ASSERT_FALSE(seen.steps.empty()) << "a second's work says nothing";
  EXPECT_FALSE(seen.steps.front().empty());
  EXPECT_FALSE(seen.beyond);
}

TEST_F(CConversion, InspectTellsCheckpointsAndModelsApart) {
  sealite_report* opened = nullptr;
  ASSERT_TRUE(succeeds(sealite_inspect(nullptr, kCheckpoint, 0, &opened)));
  const ReportHandle checkpoint(opened);
  EXPECT_EQ(json_of(opened)["format"], "torch");
  EXPECT_FALSE(json_of(opened).contains("tensors"));
  ASSERT_TRUE(succeeds(sealite_inspect(nullptr, detector_path().c_str(), 1, &opened)));
  const ReportHandle model(opened);
  EXPECT_EQ(json_of(opened)["signatures"][0]["key"], "detect");
  EXPECT_FALSE(json_of(opened)["tensors"].empty());
  EXPECT_TRUE(fails(sealite_inspect(nullptr, kCheckpoint, 0, nullptr), SEALITE_USAGE, "'report'"));
  EXPECT_TRUE(fails(sealite_inspect(nullptr, "absent", 0, &opened), SEALITE_NOT_FOUND, "absent"));
  EXPECT_EQ(opened, nullptr);
}

TEST_F(CConversion, VerifyGivesAVerdictAndItsReasons) {
  const ContextHandle context = open_context();
  const Gradient picture(100, 80);
  const sealite_pixels view = picture.view();
  const std::array<const sealite_pixels*, 1> pictures{&view};
  auto options = sized<sealite_verify_options>();
  options.checkpoint = kCheckpoint;
  options.card = kCard;
  options.images = pictures.data();
  options.images_count = 1;
  std::int32_t verdict = -1;
  sealite_report* opened = nullptr;
  for (const std::string& path : {detector_path(), embedder_path()}) {
    ASSERT_TRUE(succeeds(sealite_verify(context.get(), path.c_str(), &options, &verdict, &opened)));
    const ReportHandle report(opened);
    EXPECT_EQ(verdict, SEALITE_MATCHES) << json_of(opened);
    EXPECT_EQ(json_of(opened)["verdict"], "matches");
    EXPECT_NE(json_of(opened)["compared_with"][0].get<std::string>().find("checkpoint"), std::string::npos);
  }
  ASSERT_TRUE(succeeds(sealite_verify(context.get(), detector_path().c_str(), nullptr, &verdict, nullptr)));
  EXPECT_EQ(verdict, SEALITE_CANNOT_TELL);
  ASSERT_TRUE(succeeds(sealite_verify(context.get(), kCard, nullptr, &verdict, nullptr)));
  EXPECT_EQ(verdict, SEALITE_FAILS) << "a broken model is a verdict";
  EXPECT_TRUE(fails(sealite_verify(context.get(), "absent", nullptr, &verdict, nullptr), SEALITE_NOT_FOUND,
                    "absent"));
}

}  // namespace
}  // namespace sealite
