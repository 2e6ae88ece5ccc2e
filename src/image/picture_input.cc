#include "image/picture_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/read_pipe.h"

namespace sealite::image {
namespace {

std::vector<std::byte> read_pipe(int file, const std::filesystem::path& path, std::size_t most_bytes) {
  constexpr std::size_t kBlock = std::size_t{1} << 16U;
  std::vector<std::byte> bytes;
  std::vector<std::byte> block(kBlock);
  while (const std::size_t count = read_some(file, block, path.string())) {
    bytes.insert(bytes.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count));
    if (bytes.size() > most_bytes)
      fail(ErrorCode::kUnsupported, "{}: more than {} bytes from a pipe; give it as a file", path.string(),
           most_bytes);
  }
  return bytes;
}

}  // namespace

PictureInput open_input(const std::filesystem::path& path, std::size_t most_bytes) {
  // O_NONBLOCK: a pipe that nobody writes to must not keep a signal waiting. Files ignore it.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR || path.empty())
      fail(ErrorCode::kNotFound, "{}: no such picture file", path.string());
    fail(ErrorCode::kIo, "{}: the picture cannot be opened: {}", path.string(),
         std::generic_category().message(error));
  }
  if (S_ISDIR(info.st_mode))
    fail(ErrorCode::kNotFound, "{}: a folder, expected a picture file", path.string());
  PictureInput input{path, {}, {}};
  if (S_ISREG(info.st_mode)) return input;
  input.own = read_pipe(file.get(), path, most_bytes);
  if (input.own.empty()) fail(ErrorCode::kMalformed, "{}: no bytes came: not a picture", path.string());
  input.bytes = input.own;
  return input;
}

std::vector<std::byte> read_whole(const std::filesystem::path& path, std::span<const std::byte> end) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  if (!file || size < 0) fail(ErrorCode::kIo, "{}: reading failed", path.string());
  std::vector<std::byte> bytes(static_cast<std::size_t>(size) + end.size());
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), size);
  if (file.gcount() != size) fail(ErrorCode::kIo, "{}: reading failed", path.string());
  std::copy(end.begin(), end.end(), bytes.end() - static_cast<std::ptrdiff_t>(end.size()));
  return bytes;
}

}  // namespace sealite::image
