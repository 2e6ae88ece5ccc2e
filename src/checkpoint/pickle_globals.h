#pragma once

#include <string_view>

#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// The global MODULE.NAME if Sealite makes a value of it, else nullptr.
const Global* find_global(std::string_view module, std::string_view name);

/// Whether MODULE.NAME would run or open something if Python loaded it. Only a courtesy to who has such a
/// file: Sealite calls nothing, whatever its name.
bool is_program(std::string_view module, std::string_view name);

}  // namespace sealite::checkpoint
