#include <cstdio>
#include <exception>
#include <new>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/command.h"
#include "sealite/sealite.h"

namespace {

// A new command is one file and one row.
constexpr sealite::cli::AddCommand kCommands[] = {
    sealite::cli::add_inspect,
    sealite::cli::add_convert,
    sealite::cli::add_detect,
    sealite::cli::add_make_checkpoint,
};

constexpr const char* kFooter =
    "Examples:\n"
    "  sealite convert chunkyseal_detector_only.pth -o chunkyseal.tflite\n"
    "  sealite detect chunkyseal.tflite photo.jpg --expect 0123abcd…\n"
    "  sealite inspect chunkyseal.tflite\n"
    "\n"
    "Exit status: 0 success, 64 wrong usage, 65 broken input, 66 no such input, 69 unsupported,\n"
    "70 internal error, 74 reading or writing failed, 78 checkpoint and card do not fit, 130 interrupted.";

int run(int argc, char** argv) {
  CLI::App app(
      "Turns the PyTorch checkpoints of Meta's Seal watermark models into TFLite/LiteRT models and reads "
      "marked "
      "pictures with them.",
      "sealite");
  app.set_version_flag("--version", "sealite " + std::string(sealite::version()));
  app.require_subcommand(1);
  app.footer(kFooter);
  sealite::cli::Run chosen;
  for (const sealite::cli::AddCommand add : kCommands) {
    const sealite::cli::Run command = add(app);
    app.get_subcommands({}).back()->callback([&chosen, command] { chosen = command; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : static_cast<int>(sealite::ErrorCode::kUsage);
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  sealite::catch_interrupts();
  try {
    return run(argc, argv);
  } catch (const sealite::Error& error) {
    fmt::print(stderr, "sealite: error: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    std::fputs("sealite: error: out of memory\n", stderr);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sealite: internal error: {}\n", error.what());
  }
  return static_cast<int>(sealite::ErrorCode::kInternal);
}
