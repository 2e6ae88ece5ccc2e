#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/scratch_folder.h"
#include "sealite/error.h"

namespace sealite {

/// How a program ended and what it said.
struct Outcome {
  int status = -1;  ///< Exit status; -1 if a signal ended it.
  int signal = 0;   ///< That signal.
  std::string out;
  std::string err;
};

/// A program that runs with its output going to files, as a shell would start it. The destructor kills it.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out().c_str(), O_WRONLY | O_CREAT, 0600);
    ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err().c_str(), O_WRONLY | O_CREAT, 0600);
    if (::posix_spawnp(&id_, arguments[0], &files, nullptr, arguments.data(), ::environ) != 0) {
      ADD_FAILURE() << "cannot start " << command[0];
      id_ = -1;
    }
    ::posix_spawn_file_actions_destroy(&files);
  }
  ~Process() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const {
    if (id_ > 0) ::kill(id_, signal);
  }

  Outcome wait() {
    int status = 0;
    Outcome outcome;
    if (id_ <= 0 || ::waitpid(id_, &status, 0) != id_) return outcome;
    id_ = -1;
    if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    outcome.out = read_text(out());
    outcome.err = read_text(err());
    return outcome;
  }

 private:
  std::filesystem::path out() const { return folder_ / "out"; }
  std::filesystem::path err() const { return folder_ / "err"; }

  ScratchFolder folder_;
  pid_t id_ = -1;
};

/// `sealite` and its arguments. LiteRT is the one that `make setup` fetched, wherever this build folder is.
inline std::vector<std::string> sealite_command(std::vector<std::string> arguments) {
  ::setenv("SEALITE_LITERT", SEALITE_SOURCE_DIR "/build/litert/libLiteRt.so", 0);
  arguments.insert(arguments.begin(), SEALITE_BINARY);
  return arguments;
}

inline Outcome run_sealite(std::vector<std::string> arguments) {
  return Process(sealite_command(std::move(arguments))).wait();
}

/// Runs `script` with sh; "$@" is sealite and `arguments`, "$0" is `zero`.
inline Outcome run_in_shell(const std::string& script, std::vector<std::string> arguments,
                            const std::string& zero = "sh") {
  std::vector<std::string> command = sealite_command(std::move(arguments));
  command.insert(command.begin(), {"sh", "-c", script, zero});
  return Process(command).wait();
}

inline void expect_success(const Outcome& outcome) {
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
}

/// One line on stderr that starts with "sealite: error:" and holds all of `parts`, and the exit status.
inline void expect_refusal(const Outcome& outcome, ErrorCode code, const std::vector<std::string>& parts) {
  EXPECT_EQ(outcome.signal, 0) << outcome.err;
  EXPECT_EQ(outcome.status, static_cast<int>(code)) << outcome.err;
  EXPECT_EQ(outcome.err.rfind("sealite: error: ", 0), 0U) << outcome.err;
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  EXPECT_TRUE(outcome.err.ends_with('\n')) << outcome.err;
  for (const std::string& part : parts) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << "no '" << part << "' in: " << outcome.err;
  }
}

/// A file of assets/, which `make demo` uses.
inline std::string asset(const std::string& name) {
  return std::string(SEALITE_SOURCE_DIR "/assets/") + name;
}

}  // namespace sealite
