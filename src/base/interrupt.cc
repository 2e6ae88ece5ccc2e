#include "base/interrupt.h"

#include <csignal>

#include "base/error.h"

namespace sealite {
namespace {

volatile std::sig_atomic_t interrupted = 0;  // NOLINT: a signal handler can reach nothing but a global

extern "C" void on_interrupt(int signal) {
  interrupted = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}

void check_interrupt() {
  if (interrupted != 0) fail(ErrorCode::kInterrupted, "interrupted; no unfinished file is left");
}

}  // namespace sealite
