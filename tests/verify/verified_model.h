#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

#include "fixture_files.h"
#include "runtime/litert_library.h"
#include "sealite/convert.h"
#include "sealite/verify.h"
#include "verify/defective_model.h"

namespace sealite {

/// Converts, breaks and verifies models in a folder of its own.
class Verify : public ::testing::Test {
 protected:
  std::filesystem::path convert(const std::filesystem::path& checkpoint,
                                const std::string& recipe = "float32",
                                const std::string& name = "good.tflite", Part part = Part::kDetector,
                                std::int64_t image_size = 0) const {
    ConvertOptions options;
    options.part = part;
    options.image_size = image_size;
    options.quantize = recipe;
    sealite::convert(checkpoint, folder / name, options);
    return folder / name;
  }
  std::filesystem::path demo() const { return fixture("demo.pth"); }
  VerifyOptions against(const std::filesystem::path& checkpoint) const {
    VerifyOptions options;
    options.checkpoint = checkpoint;
    options.context.litert_library = runtime::litert_library();
    return options;
  }
  std::filesystem::path changed(const std::filesystem::path& model,
                                const std::function<void(tfl::ModelT&)>& change) const {
    change_model(model, folder / "bad.tflite", change);
    return folder / "bad.tflite";
  }
  static const Check& check_called(const VerifyReport& report, const std::string& name) {
    const auto check = std::ranges::find(report.checks, name, &Check::name);
    if (check == report.checks.end()) throw std::runtime_error("no check " + name);
    return *check;
  }
  /// The figure of a check whose name begins with `words`.
  static double figure(const VerifyReport& report, const std::string& check, const std::string& words) {
    for (const Figure& figure : check_called(report, check).figures) {
      if (figure.name.starts_with(words)) return figure.value;
    }
    throw std::runtime_error("no figure " + words);
  }
  // The check called `name` fails, and says `words`.
  static void expect_caught(const VerifyReport& report, const std::string& name, const std::string& words) {
    EXPECT_EQ(report.verdict, Verdict::kFails) << report.reason;
    const Check& check = check_called(report, name);
    EXPECT_EQ(check.outcome, CheckOutcome::kFail) << check.finding;
    EXPECT_NE(check.finding.find(words), std::string::npos) << check.finding;
  }

  const ScratchFolder folder;
};

}  // namespace sealite
