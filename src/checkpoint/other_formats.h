#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace sealite::checkpoint {

/// What `file` is if it is something that people take for a checkpoint and Sealite does not read, and what to
/// do about it; nothing if it is not known.
std::optional<std::string_view> other_format(ByteView file);

}  // namespace sealite::checkpoint
