#pragma once

#include <string>
#include <string_view>

#include "base/mapped_file.h"

namespace sealite::runtime {

/// The digest (base/digest.h) of a mapped file, on all processors; its pages leave memory again (but borrowed
/// ones). 64 hexadecimal digits. Throws kInterrupted.
std::string content_hash(const MappedFile& file);

/// For short texts. 64 hexadecimal digits.
std::string text_hash(std::string_view text);

}  // namespace sealite::runtime
