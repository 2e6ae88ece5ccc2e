#pragma once

#include <string_view>

namespace sealite {

/// Sealite's own version, "MAJOR.MINOR.PATCH".
std::string_view version();

}  // namespace sealite
