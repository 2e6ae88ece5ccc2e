#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/warn.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/plain_text.h"
#include "cli/quiet_stderr.h"
#include "cli/units.h"
#include "sealite/detector.h"

namespace sealite::cli {
namespace {

struct Arguments {
  std::string model;
  std::vector<std::string> pictures;
  DetectorOptions options;
  std::string expect;
  bool logits = false;
  bool json = false;
};

Detector load(const Arguments& arguments) {
  const QuietStderr quiet;
  return Detector(arguments.model, arguments.options);
}

void print_text(const std::string& picture, const Detector& detector, const Detection& detection,
                const std::optional<MessageMatch>& match) {
  fmt::print("{}\n", picture);
  fmt::print("  message: {} ({} bits, {} ones)\n", detection.message, detector.bits(), detection.ones);
  if (match) {
    const double accuracy = static_cast<double>(match->matches) / static_cast<double>(match->bits);
    fmt::print("  matches: {} of {} bits (accuracy {:.4f}), p = {:.2g}\n", match->matches, match->bits,
               accuracy, match->p_value);
  }
  fmt::print("  unused detection bit: {:.6f}\n", static_cast<double>(detection.logits[0]));
}

void print_json(const std::string& picture, const Detector& detector, const Detection& detection,
                const std::optional<MessageMatch>& match, bool logits, double seconds) {
  nlohmann::ordered_json json;
  json["picture"] = picture;
  json["message"] = detection.message;
  json["bits"] = detector.bits();
  json["ones"] = detection.ones;
  if (match) {
    json["matches"] = match->matches;
    json["bit_accuracy"] = static_cast<double>(match->matches) / static_cast<double>(match->bits);
    json["p_value"] = match->p_value;
    json["log10_p_value"] = match->log10_p_value;
  }
  json["unused_detection_bit"] = detection.logits[0];
  if (logits) json["logits"] = detection.logits;
  json["seconds"] = seconds;
  print_json_line(json);
}

void print_error(const std::string& picture, const Error& error, bool json) {
  if (!json) {
    print_error_line(error.what());
    return;
  }
  nlohmann::ordered_json line;
  line["picture"] = picture;
  line["error"] = {{"code", error_code_name(error.code())}, {"message", error.what()}};
  print_json_line(line);
}

// One picture that cannot be read does not keep the others from it; the exit status is the first error's.
int run(const Arguments& arguments) {
  Detector detector = load(arguments);
  if (!detector.fully_delegated()) {
    warn("'{}': LiteRT's fast path (XNNPACK) did not take the whole graph; it may be slow", arguments.model);
  }
  int status = 0;
  for (const std::string& picture : arguments.pictures) {
    const Stopwatch stopwatch;
    try {
      check_interrupt();
      const Detection detection = detector.detect_file(picture);
      std::optional<MessageMatch> match;
      if (!arguments.expect.empty()) match = detector.match(detection, arguments.expect);
      if (arguments.json) {
        print_json(picture, detector, detection, match, arguments.logits, stopwatch.seconds());
      } else {
        print_text(picture, detector, detection, match);
      }
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kUsage) throw;
      print_error(picture, error, arguments.json);
      if (status == 0) status = static_cast<int>(error.code());
    }
    std::fflush(stdout);
  }
  if (arguments.expect.empty() && !arguments.json) {
    fmt::print(
        "Bits alone do not tell whether a picture is marked: give the message you look for with --expect.\n");
  }
  return status;
}

}  // namespace

Run add_detect(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *app.add_subcommand("detect", "Read the watermark's bits in pictures");
  command.add_option("model", arguments->model, "A detector's .tflite file")->required();
  command.add_option("pictures", arguments->pictures, "JPEG, PNG, WebP, AVIF or TIFF files of any size")
      ->required();
  command.add_option("--threads", arguments->options.threads, "Threads for inference")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_option("--expect", arguments->expect, "Message to compare with, hexadecimal, first bit first");
  command.add_option("--litert", arguments->options.litert_library,
                     "libLiteRt.so to load (default: searched)");
  command.add_flag("--logits", arguments->logits, "Add all logits to the JSON");
  command.add_flag("--json", arguments->json, "Print one line of JSON for each picture, errors included");
  command.footer(
      "p is the probability that an unmarked picture agrees at least as well by chance (one-sided "
      "binomial).\n"
      "Examples:\n"
      "  sealite detect demo.tflite photo.png --expect 5c1f93a0\n"
      "  sealite detect chunkyseal.tflite *.jpg --threads 2 --json > results.jsonl");
  return [arguments] { return run(*arguments); };
}

}  // namespace sealite::cli
