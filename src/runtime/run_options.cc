#include "runtime/run_options.h"

#include <algorithm>

#include "base/context.h"

namespace sealite::runtime {

RunOptions run_options_of_host() {
  RunOptions options;
  options.threads = std::max(1, current_context().threads);
  options.cache_folder = current_context().cache_folder;
  options.library = current_context().litert_library;
  return options;
}

}  // namespace sealite::runtime
