#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sealite::cli {

/// Throws kUsage if there are none: CLI11 would name the guide's word for them, --image_path.
void expect_pictures(const std::vector<std::string>& words, std::string_view command);

/// What a command line's words for pictures stand for: "-" for the standard input, a folder for the pictures
/// in it in the order of their names (with `recursive` also in the folders inside it), anything else for
/// itself. What is no picture in a folder is skipped with a warning. Throws kUsage for a folder without any,
/// kIo for one that cannot be read.
std::vector<std::string> list_pictures(const std::vector<std::string>& words, bool recursive);

/// As results and errors call it: "-" is itself.
std::string shown_picture(const std::string& picture);

}  // namespace sealite::cli
