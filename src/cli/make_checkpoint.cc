#include "sealite/make_checkpoint.h"

#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/output_check.h"
#include "cli/plain_text.h"
#include "cli/program_context.h"
#include "cli/units.h"

namespace sealite::cli {
namespace {

struct MakeCheckpointArguments {
  std::string output;
  std::string part = "all";
  std::string training_state = "none";
  MakeCheckpointOptions options;
};

int run(MakeCheckpointArguments& arguments) {
  const Stopwatch stopwatch;
  arguments.options.detector_only = arguments.part == "detector";
  arguments.options.training_state = arguments.training_state == "detector";
  InputFiles inputs;
  inputs.add("the --card", arguments.options.card);
  inputs.check_is_none(arguments.output);
  ProgressLine progress;
  arguments.options.context = program_context(progress);
  const MakeCheckpointReport report = make_checkpoint(arguments.output, arguments.options);
  print("File: {}\nSize: {}\nTensors: {}, {} parameters, seed {}\nTime: {:.2f} s, peak memory: {}\n",
        arguments.output, mebibytes(report.bytes), report.tensors, report.parameters, arguments.options.seed,
        stopwatch.seconds(), mebibytes(peak_memory()));
  return 0;
}

}  // namespace

Run add_make_checkpoint(CLI::App& app) {
  auto arguments = std::make_shared<MakeCheckpointArguments>();
  CLI::App& command = *app.add_subcommand(
      "make-checkpoint", "Write a checkpoint with random, well-scaled weights, for tests and measurements");
  command.add_option("--card", arguments->options.card, "Model card: a name or a YAML file")->required();
  command.add_option("-o,--output", arguments->output, "The .pth file to write")->required();
  command.add_option("--seed", arguments->options.seed, "The same seed gives the same bytes")
      ->check([](const std::string& text) { return text.starts_with('-') ? "a seed is 0 or above" : ""; })
      ->capture_default_str();
  command.add_option("--part", arguments->part, "What to put in")
      ->check(CLI::IsMember({"all", "detector"}))
      ->capture_default_str();
  command
      .add_option("--training-state", arguments->training_state,
                  "Whose optimizer state (AdamW) to add, as in a trainer's file")
      ->check(CLI::IsMember({"none", "detector"}))
      ->capture_default_str();
  command.footer(
      "Examples:\n"
      "  sealite make-checkpoint --card chunkyseal --part detector -o chunkyseal_detector_only.pth\n"
      "  sealite make-checkpoint --card chunkyseal --training-state detector -o chunkyseal_full.pth");
  return [arguments] { return run(*arguments); };
}

}  // namespace sealite::cli
