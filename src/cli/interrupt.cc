#include "cli/interrupt.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <string>

namespace sealite::cli {
namespace {

// NOLINTBEGIN: a signal handler can reach nothing but globals
volatile std::sig_atomic_t caught = 0;
long memory_at_end = 0;       // the peak when the time was up, in KiB
int ticks = 0;                // of the clock, since then
std::string time_is_up;       // as an exception says it
std::string time_is_up_line;  // as stderr gets it
// NOLINTEND

extern "C" void on_interrupt(int signal) {
  caught = signal;
  std::signal(signal, SIG_DFL);
}

// How long after the end of its time a library may stay in one call, and how much it may take in that time.
constexpr int kTicksPerSecond = 20;
constexpr long kMoreMemory = 64L << 10U;  // KiB

long peak_kibibytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

extern "C" void on_alarm(int /*signal*/) {
  if (ticks++ == 0) {
    memory_at_end = peak_kibibytes();
    if (caught == 0) caught = SIGALRM;
  } else if (ticks > kTicksPerSecond || peak_kibibytes() > memory_at_end + kMoreMemory) {
    // A library is in a long call. A file that is not complete has no name yet, so nothing is left behind.
    [[maybe_unused]] const ssize_t ignored =
        ::write(STDERR_FILENO, time_is_up_line.data(), time_is_up_line.size());
    ::_exit(static_cast<int>(ErrorCode::kTimeout));
  }
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}

void end_after(double seconds, const std::string& message) {
  time_is_up = message;
  time_is_up_line = "sealite: error: " + message + "\n";
  std::signal(SIGALRM, on_alarm);
  const double whole = std::floor(seconds);
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(whole);
  timer.it_value.tv_usec = static_cast<suseconds_t>((seconds - whole) * 1e6);
  timer.it_interval.tv_usec = 1'000'000 / kTicksPerSecond;
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

bool interrupted() {
  return caught != 0;
}

Error interruption(const Error& error) {
  if (error.code() != ErrorCode::kInterrupted || caught != SIGALRM) return error;
  return Error(ErrorCode::kTimeout, time_is_up);
}

}  // namespace sealite::cli
