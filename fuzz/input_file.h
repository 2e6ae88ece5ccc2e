#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

/// The fuzzer's bytes as a file in memory that has a path.
class InputFile {
 public:
  explicit InputFile(std::span<const std::uint8_t> bytes) : InputFile(bytes.data(), bytes.size()) {}
  explicit InputFile(const std::string& bytes) : InputFile(bytes.data(), bytes.size()) {}
  ~InputFile() { ::close(file_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  InputFile(const void* bytes, std::size_t size) : file_(::memfd_create("input", 0)) {
    if (file_ < 0 || ::write(file_, bytes, size) != static_cast<ssize_t>(size)) ::_exit(1);
  }

  int file_;
};
