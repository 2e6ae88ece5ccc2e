#pragma once

#include <cstdlib>
#include <filesystem>

namespace sealite::runtime {

/// The LiteRT library that the tests use: $SEALITE_LITERT or the one that `make setup` puts into build/.
inline std::filesystem::path litert_library() {
  if (const char* named = std::getenv("SEALITE_LITERT"); named != nullptr && *named != '\0') return named;
  return SEALITE_SOURCE_DIR "/build/litert/libLiteRt.so";
}

}  // namespace sealite::runtime
