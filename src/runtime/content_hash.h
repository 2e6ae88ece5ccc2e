#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sealite::runtime {

/// The digest (base/digest.h) of a mapped file, on all processors; its pages leave memory again. 64
/// hexadecimal digits. Throws kInterrupted.
std::string content_hash(ByteView mapped);

/// For short texts. 64 hexadecimal digits.
std::string text_hash(std::string_view text);

}  // namespace sealite::runtime
