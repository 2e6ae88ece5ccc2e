#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "fixture_files.h"

namespace sealite::checkpoint {

/// A folder of its own for one test, removed at the end.
class TestFolder {
 public:
  TestFolder() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(info->test_suite_name()) + "." + info->name();
    for (char& c : name) {
      if (c == '/') c = '.';
    }
    path_ = std::filesystem::temp_directory_path() / ("sealite." + std::to_string(::getpid()) + "." + name);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(out.good()) << path;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Runs `body`, which must throw sealite::Error with `code`, and returns its message.
template <typename Body>
std::string expect_error(ErrorCode code, Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error_code_name(error.code()) << ": " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown, expected " << error_code_name(code);
  return {};
}

/// Changes for one byte: each bit alone, and all at once.
inline constexpr std::array<unsigned, 9> kByteFlips{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF};

inline std::string flip_byte(std::string bytes, std::size_t at, unsigned flip) {
  bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
  return bytes;
}

/// Writes `bytes` and says whether they open as a checkpoint; a refusal must be an Error that blames the
/// file.
inline bool opens(const TestFolder& folder, std::string_view bytes) {
  write_file(folder / "file", bytes);
  try {
    Checkpoint::open(folder / "file");
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kMalformed || error.code() == ErrorCode::kUnsupported)
        << error.what();
    return false;
  }
}

}  // namespace sealite::checkpoint
