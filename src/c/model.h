#pragma once

#include <functional>

#include "c/structs.h"
#include "sealite/model_source.h"
#include "sealite/sealite.h"
#include "sealite/weight_cache.h"

namespace sealite::c {

/// Looks at a caller's arguments when the call is guarded.
using SourceMaker = std::function<ModelSource()>;

inline ModelSource source_of(const char* path) {
  return required_text(path, "path");
}

inline ModelSource source_of(const void* bytes, std::size_t size) {
  return ModelSource::from_bytes(array_of(static_cast<const std::byte*>(bytes), size, "bytes"));
}

/// Bytes of a message in hexadecimal, the NUL counted.
inline std::size_t hex_size(std::size_t bits) {
  return (bits + 3) / 4 + 1;
}

/// Of a detector or an embedder.
template <typename Model>
void put_info(const Model& model, sealite_model_info* info) {
  sealite_model_info own = known(info, "info");
  own.bits = model.bits();
  own.image_size = model.image_size();
  own.fully_delegated = model.fully_delegated() ? 1 : 0;
  own.cache_use = static_cast<std::int32_t>(model.cache_use());
  put_known(own, info);
}

}  // namespace sealite::c
