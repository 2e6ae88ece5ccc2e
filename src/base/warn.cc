#include "base/warn.h"

#include <cstdio>

#include "base/utf8.h"

namespace sealite {

void print_warning(const std::string& message) {
  // What cannot be said must not end the work, as an exception of fmt::print would.
  std::fputs(fmt::format("sealite: warning: {}\n", shown(message)).c_str(), stderr);
}

}  // namespace sealite
