#include "cli/output_check.h"

#include <sys/stat.h>

#include <optional>

#include "base/error.h"

namespace sealite::cli {
namespace {

using FileId = std::pair<std::uintmax_t, std::uintmax_t>;

std::optional<FileId> file_id(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileId(status.st_dev, status.st_ino);
}

}  // namespace

void InputFiles::add(std::string_view what, const std::filesystem::path& path) {
  if (const std::optional<FileId> id = file_id(path)) files_.emplace(*id, what);
}

void InputFiles::check_is_none(const std::filesystem::path& output) const {
  const std::optional<FileId> id = file_id(output);
  const auto found = id ? files_.find(*id) : files_.end();
  if (found == files_.end()) return;
  fail(ErrorCode::kUsage, "'{}' is {} itself, which would be lost; write to another file", output.string(),
       found->second);
}

}  // namespace sealite::cli
