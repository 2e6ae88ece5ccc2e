#include "cli/piped_model.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "base/read_pipe.h"

namespace sealite::cli {
namespace {

// Whatever comes next: a checkpoint of the largest known model with its optimizer's state is 9 GB.
constexpr std::uint64_t kMostModelBytes = std::uint64_t{16} << 30U;

void write_piped(int file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      fail(ErrorCode::kNoMemory, "-: not enough memory for the standard input: {}",
           std::generic_category().message(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::uint64_t copy_standard_input(int file) {
  std::vector<std::byte> block(std::size_t{1} << 20U);
  std::uint64_t total = 0;
  while (const std::size_t count = read_some(STDIN_FILENO, block, "-")) {
    total += count;
    if (total > kMostModelBytes)
      fail(ErrorCode::kUnsupported, "-: more than {} bytes from the standard input; give a file",
           kMostModelBytes);
    write_piped(file, std::span(block).first(count));
  }
  if (total == 0) fail(ErrorCode::kMalformed, "-: no bytes came from the standard input");
  return total;
}

}  // namespace

PipedModel::PipedModel(const Context& context) : file_(::memfd_create("standard input", MFD_CLOEXEC)) {
  const InContext scope(context);
  if (!file_) fail(ErrorCode::kNoMemory, "-: no memory for the standard input");
  const auto size = static_cast<std::size_t>(copy_standard_input(file_.get()));
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file_.get(), 0);
  if (address == MAP_FAILED) fail(ErrorCode::kNoMemory, "-: no memory for the standard input");
  bytes_ = {static_cast<std::byte*>(address), size};
}

PipedModel::~PipedModel() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

ModelSource PipedModel::source() const {
  return ModelSource::from_bytes(bytes_, "-");
}

std::string PipedModel::path() const {
  return fmt::format("/proc/self/fd/{}", file_.get());
}

ModelSource model_source(const std::string& word, const std::vector<std::string>& pictures,
                         std::optional<PipedModel>& piped, const Context& context) {
  if (std::ranges::count(pictures, "-") + (word == "-" ? 1 : 0) > 1)
    fail(ErrorCode::kUsage, "- is given more than once: the standard input is one file");
  if (word != "-") return {word};
  return piped.emplace(context).source();
}

}  // namespace sealite::cli
