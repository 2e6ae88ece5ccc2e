#pragma once

#include <string_view>

#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// The global MODULE.NAME if checkpoints may use it, else nullptr.
const Global* find_global(std::string_view module, std::string_view name);

}  // namespace sealite::checkpoint
