#pragma once

#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

namespace sealite::cli {

/// The files that a command reads, so that it writes to none of them: nobody means to lose one.
class InputFiles {
 public:
  /// `what` it is to the user: "the --card". A path that names no file ("-", a card's name) is none.
  void add(std::string_view what, const std::filesystem::path& path);
  /// Throws kUsage if `output` is one of them.
  void check_is_none(const std::filesystem::path& output) const;

 private:
  std::map<std::pair<std::uintmax_t, std::uintmax_t>, std::string_view> files_;  // by device and number
};

}  // namespace sealite::cli
