#include <gtest/gtest.h>

#include <limits>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "report/charts.h"
#include "report/html.h"
#include "sealite/verify.h"

namespace sealite {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

VerifyReport sample() {
  VerifyReport report;
  report.model = "models/<b>&\x1b[31m.tflite";
  report.precision = "int8";
  report.verdict = Verdict::kFails;
  report.reason = "Bits: \"wrong\" <script>alert(1)</script>";
  report.checks = {
      {"layers", "Layer by layer", CheckOutcome::kFail, "see '<x>'", {{"difference", 0.5, "", 0.1, {}}}}};
  report.outputs = {{"photo <1>.png", {0, 1, -2, 3}, {0, 1, 2, -0.5F}}};
  report.layers = {{"a", "CONV_2D", 1e-6}, {"b", "ADD", 0.5}};
  report.weights = {{"w", "int8", 3, 1.5, 20}};
  return report;
}

TEST(Report, HoldsWhatItMustAndNothingThatRuns) {
  const ScratchFolder folder;
  write_verify_report(sample(), "sealite verify 'a b.tflite'", folder / "report.html");
  const std::string html = read_text(folder / "report.html");
  for (const char* part : {"<!DOCTYPE html>", "viewport", "prefers-color-scheme: dark", "@media print",
                           "✗ Fails", "photo &lt;1&gt;.png", "&lt;script&gt;", "<svg",
                           "sealite verify &#39;a b.tflite&#39;", "Flipped bits", "wanted ≤ 0.1"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  for (const char* part : {"<script", "http:", "https:", "url(", "@import", "\x1b"})
    EXPECT_EQ(html.find(part), std::string::npos) << part;
  // Both flipped bits, and not the one that agrees.
  EXPECT_NE(html.find("<td class=\"number\">1</td><td class=\"number\">-2</td>"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"number\">2</td><td class=\"number\">3</td>"), std::string::npos);
}

TEST(Report, AnEmbedderHasMarkedPicturesAndNoBits) {
  const ScratchFolder folder;
  VerifyReport report = sample();
  report.part = "embedder";
  report.marked = {{"photo <1>.png", std::string(256, 'a'), 400, 600, std::numeric_limits<double>::infinity(),
                    27.51, 27.5}};
  write_verify_report(report, "sealite verify x", folder / "report.html");
  const std::string html = read_text(folder / "report.html");
  for (const char* part : {"Marked pictures", "600 × 400", "∞ dB", "27.5 dB", "aaaaaaaaaaaaaaaa…",
                           "Histogram of the deltas", "Deltas and layers"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  for (const char* part : {"Flipped bits", "ogits", "aaaaaaaaaaaaaaaaa"})
    EXPECT_EQ(html.find(part), std::string::npos) << part;
}

TEST(Report, TheVerdictSaysWhatWasComparedWithWhat) {
  const ScratchFolder folder;
  VerifyReport report = sample();
  report.verdict = Verdict::kMatches;
  report.compared = {"its checkpoint (Sealite's own float32 evaluator)", "tensors saved from PyTorch 2.13.0"};
  write_verify_report(report, "sealite verify x", folder / "report.html");
  const std::string html = read_text(folder / "report.html");
  EXPECT_NE(
      html.find("<strong>✓ Matches its checkpoint (Sealite&#39;s own float32 evaluator) and tensors saved "
                "from PyTorch 2.13.0</strong>"),
      std::string::npos);
}

TEST(Report, AModelThatDidNotLoadHasAPageToo) {
  const ScratchFolder folder;
  VerifyReport report;
  report.model = "cut.tflite";
  report.verdict = Verdict::kFails;
  report.checks = {{"loads", "Loads in the real runtime", CheckOutcome::kFail, "cut off", {}}};
  write_verify_report(report, "sealite verify cut.tflite", folder / "report.html");
  EXPECT_NE(read_text(folder / "report.html").find("cut off"), std::string::npos);
}

TEST(Report, NoPlaceToWrite) {
  expect_error(ErrorCode::kIo, {"absent"}, [] { write_verify_report(sample(), "x", "/absent/report.html"); });
}

TEST(Report, ChartsTakeAnyNumbers) {
  EXPECT_EQ(report::logit_histogram({{"a", {0, kNan, 1e30F}, {0, -kNan, 0}}}).find("nan"), std::string::npos);
  EXPECT_EQ(report::logit_histogram({{"a", {0}, {0}}}).find("nan"), std::string::npos);
  const std::string chart = report::layer_chart(
      {{"a", "", 0}, {"b", "", std::numeric_limits<double>::infinity()}, {"c", "", std::nan("")}}, 0.1);
  EXPECT_EQ(chart.find("nan"), std::string::npos) << chart;
  EXPECT_EQ(chart.find("inf"), std::string::npos) << chart;
}

TEST(Report, EscapedTextIsWellFormed) {
  EXPECT_EQ(report::escaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(report::escaped("ä€𝄞"), "ä€𝄞");
  EXPECT_EQ(report::escaped("\xff\xc3+\xe2\x82"), "??+??");
  EXPECT_EQ(report::escaped("\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80"), "?????????");
  EXPECT_EQ(report::escaped("a\nb\tc\x1b"), "a\nb?c?");
  EXPECT_EQ(report::escaped("gpj\u202e.exe\u2066\u009b\u2028"), "gpj?.exe???");
}

TEST(Report, NumbersAreShort) {
  EXPECT_EQ(report::number(0), "0");
  EXPECT_EQ(report::number(281), "281");
  EXPECT_EQ(report::number(0.027226), "0.0272");
  EXPECT_EQ(report::number(1.234e-7), "1.2e-07");
  EXPECT_EQ(report::number(std::numeric_limits<double>::infinity()), "∞");
}

}  // namespace
}  // namespace sealite
