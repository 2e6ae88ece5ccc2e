#include "sealite/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/atomic_file.h"
#include "base/error.h"
#include "cli/checkpoint_options.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/limits.h"
#include "cli/output_check.h"
#include "cli/picture_list.h"
#include "cli/plain_text.h"
#include "cli/program_context.h"
#include "cli/units.h"
#include "sealite/json.h"

namespace sealite::cli {
namespace {

struct VerifyArguments {
  std::string model;
  VerifyOptions options;
  std::vector<std::string> images;
  HostOptions host;
  std::string report;
  bool json = false;
};

constexpr const char* kVerdicts[] = {"MATCHES", "FAILS", "CANNOT TELL"};
constexpr const char* kOutcomes[] = {"pass", "FAIL", "----"};

std::string bounds(const Figure& figure) {
  std::string text;
  if (figure.at_least) text += fmt::format(", at least {:.3g}", *figure.at_least);
  if (figure.at_most) text += fmt::format(", at most {:.3g}", *figure.at_most);
  return text.empty() ? text : fmt::format(" ({})", text.substr(2));
}

void print_text(const VerifyReport& report) {
  std::string verdict = kVerdicts[static_cast<int>(report.verdict)];
  if (report.verdict == Verdict::kMatches) verdict += fmt::format(" {}", fmt::join(report.compared, " and "));
  print("{}: {}\n", report.model.string(), verdict);
  print("  {}\n", report.reason);
  for (std::size_t i = 0; i < report.checks.size(); ++i) {
    const Check& check = report.checks[i];
    print("{} {:2}. {}\n", kOutcomes[static_cast<int>(check.outcome)], i + 1, check.title);
    print("         {}\n", check.finding);
    for (const Figure& figure : check.figures) {
      print("         {}: {:.6g}{}{}{}\n", figure.name, figure.value, figure.unit.empty() ? "" : " ",
            figure.unit, bounds(figure));
    }
  }
  print("Time: {:.1f} s, peak memory: {}\n", report.total_seconds, mebibytes(peak_memory()));
}

void print_json(const VerifyReport& report) {
  auto json = nlohmann::ordered_json::parse(to_json(report));
  json["peak_memory_bytes"] = peak_memory();
  print_json_line(json);
}

// To be pasted into a shell.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-./=:,+@%") == std::string::npos;
  if (plain) return word;
  std::string text = "'";
  for (const char letter : word) text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return text + "'";
}

std::string command_line(const VerifyArguments& arguments) {
  const VerifyOptions& options = arguments.options;
  std::string line = "sealite verify " + quoted(arguments.model);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) line += fmt::format(" {} {}", name, quoted(value));
  };
  add("--checkpoint", options.checkpoint.string());
  add("--card", options.card);
  add("--reference", options.reference.string());
  for (const std::string& image : arguments.images) add("--images", image);
  add("--runs", std::to_string(options.runs));
  add("--threads", options.threads > 0 ? std::to_string(options.threads) : "");
  add("--weight-cache", options.weight_cache.string());
  add("--report", arguments.report);
  return line;
}

// The verdict was paid for: it does not depend on whether the page can be written.
void write_page(const VerifyReport& report, const VerifyArguments& arguments) {
  try {
    write_verify_report(report, command_line(arguments), arguments.report);
  } catch (const std::exception& error) {
    warn("--report: no page was written: {}", error.what());
  }
}

InputFiles inputs_of(const VerifyArguments& arguments, const VerifyOptions& options) {
  InputFiles inputs;
  inputs.add("the model", arguments.model);
  inputs.add("the --checkpoint", options.checkpoint);
  inputs.add("the --card", options.card);
  inputs.add("the --reference", options.reference);
  inputs.add("the --weight-cache", options.weight_cache);
  for (const std::filesystem::path& picture : options.images) inputs.add("a picture of --images", picture);
  return inputs;
}

int run(const VerifyArguments& arguments) {
  ProgressLine progress;
  HostOptions host = arguments.host;
  host.use_cache = false;
  VerifyOptions options = arguments.options;
  options.context = program_context(progress, host);
  for (const std::string& picture : list_pictures(arguments.images, false))
    options.images.emplace_back(picture);
  if (!arguments.report.empty()) {
    add_context("--report", [&] {
      inputs_of(arguments, options).check_is_none(arguments.report);
      const AtomicFile tried(arguments.report);
    });
  }
  const VerifyReport report = verify_model(arguments.model, options);
  arguments.json ? print_json(report) : print_text(report);
  std::fflush(stdout);
  if (!arguments.report.empty()) write_page(report, arguments);
  return static_cast<int>(report.verdict);
}

}  // namespace

Run add_verify(CLI::App& app) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App& command = *app.add_subcommand(
      "verify", "Compare a model with its checkpoint, or with tensors saved from PyTorch");
  command.add_option("model,--tflite_model", arguments->model, "A detector's or an embedder's .tflite file")
      ->required();
  VerifyOptions& options = arguments->options;
  command.add_option("--checkpoint", options.checkpoint, "The file that it was converted from");
  add_key_option(command, options.key);
  command.add_option("--card", options.card,
                     "Model card: a name or a YAML file (default: from the checkpoint)");
  command.add_option(
      "--reference", options.reference,
      "Tensors saved from PyTorch: an .npz file or a folder of .npy files, `images` [N,3,H,W] in [0,1] "
      "and `logits` [N,1+bits]; for an embedder `images`, `messages` [N,bits] and `delta` [N,C,H,W]; "
      "`torch_version`, if there, is quoted");
  command.add_option("--images,--image_path", arguments->images,
                     "Pictures to run it on, or folders of them (default: two synthetic ones)");
  command.add_option("--runs", options.runs, "How often the first picture is run")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      .add_option("--threads", options.threads,
                  "Threads to compare one thread with (default: all processors)")
      ->check(CLI::Range(1, 256));
  command.add_option("--weight-cache", options.weight_cache,
                     "A weight cache file of XNNPACK's: check that it belongs to this model");
  add_litert_option(command, arguments->host);
  command.add_option("--report", arguments->report,
                     "Write the result as one HTML page; a disk that is full by then is a warning");
  add_pixel_limit(command, options.max_pixels);
  command.add_flag("--json", arguments->json, "Print one line of JSON");
  command.footer(
      "Exit status: 0 matches, 1 fails, 2 cannot tell (nothing to compare with); 64 and up: an error.\n"
      "The limits of each recipe are in docs/verification.md.\n"
      "Examples:\n"
      "  sealite verify demo.tflite --checkpoint demo.pth --images photos/*.png --report demo.html\n"
      "  sealite verify demo.embedder.tflite --checkpoint demo.pth --images photos/*.png\n"
      "  sealite verify chunkyseal.tflite --reference reference.npz --json");
  return [arguments] { return run(*arguments); };
}

}  // namespace sealite::cli
