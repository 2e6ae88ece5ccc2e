#pragma once

#include "api/converted_detector.h"
#include "sealite/embedder.h"

namespace sealite {

inline Embedder load_embedder(const std::filesystem::path& model) {
  EmbedderOptions options;
  options.context.litert_library = runtime::litert_library();
  return Embedder(model, options);
}

}  // namespace sealite
