#include "base/warn.h"

#include <cstdio>

namespace sealite {

void print_warning(const std::string& message) {
  fmt::print(stderr, "sealite: warning: {}\n", message);
}

}  // namespace sealite
