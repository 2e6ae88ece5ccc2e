#include "cli/picture_list.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "cli/plain_text.h"
#include "sealite/files.h"

namespace sealite::cli {
namespace {

constexpr const char* kStandardInput = "/dev/stdin";

// Names as people sort them: by bytes.
std::vector<std::string> files_in(const std::string& folder, bool recursive) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  const auto add = [&](const fs::directory_entry& entry) {
    std::error_code ignored;
    if (!entry.is_directory(ignored)) files.push_back(entry.path().string());
  };
  try {
    if (recursive) {
      for (const auto& entry : fs::recursive_directory_iterator(folder)) add(entry);
    } else {
      for (const auto& entry : fs::directory_iterator(folder)) add(entry);
    }
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::kIo, "'{}': the folder cannot be read: {}",
         error.path1().empty() ? folder : error.path1().string(), error.code().message());
  }
  std::ranges::sort(files);
  return files;
}

void add_folder(const std::string& folder, bool recursive, std::vector<std::string>& pictures) {
  constexpr std::size_t kNamed = 5;
  const std::size_t before = pictures.size();
  std::size_t skipped = 0;
  for (std::string& file : files_in(folder, recursive)) {
    if (is_picture_file(file)) {
      pictures.push_back(std::move(file));
    } else if (++skipped <= kNamed) {
      warn("'{}': no picture that is read; skipped", file);
    }
  }
  if (skipped > kNamed) warn("'{}': {} more files are no pictures; skipped", folder, skipped - kNamed);
  if (pictures.size() == before) {
    fail(ErrorCode::kUsage, "'{}' has no pictures{}", folder,
         recursive ? "" : "; -r looks into the folders inside it");
  }
}

}  // namespace

void expect_pictures(const std::vector<std::string>& words, std::string_view command) {
  if (words.empty()) fail(ErrorCode::kUsage, "no pictures are given; see sealite {} --help", command);
}

std::vector<std::string> list_pictures(const std::vector<std::string>& words, bool recursive) {
  std::vector<std::string> pictures;
  for (const std::string& word : words) {
    std::error_code ignored;
    if (word == "-") {
      pictures.emplace_back(kStandardInput);
    } else if (std::filesystem::is_directory(word, ignored)) {
      add_folder(word, recursive, pictures);
    } else {
      pictures.push_back(word);
    }
  }
  return pictures;
}

std::string shown_picture(const std::string& picture) {
  return picture == kStandardInput ? "-" : picture;
}

}  // namespace sealite::cli
