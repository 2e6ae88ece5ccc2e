#include "sealite/version.h"

namespace sealite {

std::string_view version() {
  return SEALITE_VERSION;
}

}  // namespace sealite
