#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

#include "base/error.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/limits.h"
#include "cli/no_memory.h"
#include "cli/plain_text.h"
#include "sealite/sealite.hpp"

namespace {

// A new command is one file and one row.
constexpr sealite::cli::AddCommand kCommands[] = {
    sealite::cli::add_inspect,          //
    sealite::cli::add_convert,          //
    sealite::cli::add_verify,           //
    sealite::cli::add_embed,            //
    sealite::cli::add_detect,           //
    sealite::cli::add_extract,          //
    sealite::cli::add_make_checkpoint,  //
    sealite::cli::add_bench,            //
};

constexpr const char* kFooter =
    "Examples:\n"
    "  sealite convert chunkyseal_detector_only.pth -o chunkyseal.tflite\n"
    "  sealite embed embedder.tflite photo.jpg -o marked.jpg --id 1234\n"
    "  sealite detect chunkyseal.tflite photo.jpg --expect 0123abcd…\n"
    "  sealite inspect chunkyseal.tflite\n"
    "  sealite bench chunkyseal.tflite --profile\n"
    "  sealite extract chunkyseal_full.pth -o chunkyseal_detector_only.pth\n"
    "\n"
    "Exit status: 0 success, 1 and 2 verify's verdicts, 3 embed --check does not read the message back,\n"
    "64 wrong usage, 65 broken input, 66 no such input, 69 unsupported, 70 internal error,\n"
    "71 out of memory, 74 reading or writing failed, 75 stopped by --timeout,\n"
    "78 checkpoint and card do not fit, 130 interrupted.";

// CLI11 says no more than "a subcommand is required" when there is one that it does not know.
[[noreturn]] void fail_usage(const CLI::App& app, const CLI::ParseError& error, std::string_view first) {
  const auto is_first = [&](const CLI::App* command) { return command->get_name() == first; };
  if (!first.empty() && first.front() != '-' && app.get_subcommands(is_first).empty()) {
    sealite::fail(sealite::ErrorCode::kUsage, "no command '{}'; see sealite --help", first);
  }
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "" : chosen.front()->get_name() + " ";
  sealite::fail(sealite::ErrorCode::kUsage, "{}; see sealite {}--help", error.what(), command);
}

// `detect --json > results.jsonl` on a full disk must not look like a success.
void check_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  sealite::fail(sealite::ErrorCode::kIo, "cannot write to the standard output: {}", std::strerror(errno));
}

int run(int argc, char** argv) {
  CLI::App app(
      "Turns the PyTorch checkpoints of Meta's Seal watermark models into TFLite/LiteRT models, and "
      "marks and reads pictures with them.",
      "sealite");
  app.set_version_flag("--version", "sealite " + std::string(sealite::version()));
  app.require_subcommand(1);
  app.footer(kFooter);
  sealite::cli::Run chosen;
  sealite::cli::Limits limits;
  for (const sealite::cli::AddCommand add : kCommands) {
    const sealite::cli::Run command = add(app);
    CLI::App& subcommand = *app.get_subcommands({}).back();
    sealite::cli::add_limit_options(subcommand, limits);
    subcommand.callback([&chosen, command] { chosen = command; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) fail_usage(app, error, argc > 1 ? argv[1] : "");
    app.exit(error);  // prints the help or the version
  }
  sealite::cli::apply_limits(limits);
  const int status = chosen ? chosen() : 0;
  check_output();
  return status;
}

int run_and_report(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const sealite::Error& thrown) {
    const sealite::Error error = sealite::cli::interruption(thrown);
    sealite::cli::print_error_line(sealite::cli::message_of(error));
    return static_cast<int>(error.code());
  } catch (const std::system_error& error) {  // print's, when it cannot write
    sealite::cli::print_error_line(error.what());
    return static_cast<int>(sealite::ErrorCode::kIo);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    sealite::cli::print_error_line(fmt::format("internal error: {}", error.what()));
  }
  return static_cast<int>(sealite::ErrorCode::kInternal);
}

// Destructors may not throw, but nlohmann's take memory. Nothing here takes any, nor unwinds: a file that is
// not complete has no name yet.
[[noreturn]] void on_terminate() {
  if (std::current_exception() == nullptr) std::abort();
  try {
    throw;  // what the destructor could not let out
  } catch (const std::bad_alloc&) {
    sealite::cli::print_no_memory();
    ::_exit(static_cast<int>(sealite::ErrorCode::kNoMemory));
  } catch (...) {
    __gnu_cxx::__verbose_terminate_handler();
  }
  std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate(on_terminate);
  sealite::cli::catch_interrupts();
  sealite::cli::catch_aborts();
  sealite::take_over_libvips();
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is then an error of the write, and not the end
  try {
    return run_and_report(argc, argv);
  } catch (const std::bad_alloc&) {  // perhaps of an error's own line
    sealite::cli::print_no_memory();
    return static_cast<int>(sealite::ErrorCode::kNoMemory);
  }
}
