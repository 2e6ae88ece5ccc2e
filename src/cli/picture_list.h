#pragma once

#include <string>
#include <vector>

namespace sealite::cli {

/// What a command line's words for pictures stand for: "-" for the standard input, a folder for the pictures
/// in it in the order of their names (with `recursive` also in the folders inside it), anything else for
/// itself. What is no picture in a folder is skipped with a warning. Throws kUsage for a folder without any,
/// kIo for one that cannot be read.
std::vector<std::string> list_pictures(const std::vector<std::string>& words, bool recursive);

/// As results and errors call it: "-" is itself.
std::string shown_picture(const std::string& picture);

}  // namespace sealite::cli
