#include "base/read_pipe.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/context.h"
#include "base/error.h"

namespace sealite {

std::size_t read_some(int file, MutableByteView into, const std::string& name) {
  constexpr int kWaitMilliseconds = 100;
  for (;;) {
    check_cancelled();
    pollfd wanted{.fd = file, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wanted, 1, kWaitMilliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t count = ::read(file, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR || errno == EAGAIN) continue;
    fail(ErrorCode::kIo, "{}: reading failed: {}", name, std::generic_category().message(errno));
  }
}

}  // namespace sealite
