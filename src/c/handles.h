#pragma once

#include <memory>
#include <string>
#include <utility>

#include "c/structs.h"
#include "sealite/candidates.h"
#include "sealite/context.h"
#include "sealite/detector.h"
#include "sealite/embedder.h"
#include "sealite/sealite.h"

// NOLINTBEGIN(readability-identifier-naming): the names are C's
struct sealite_context {
  sealite::Context context;
};

struct sealite_detector {
  sealite::Detector detector;
};

struct sealite_embedder {
  sealite::Embedder embedder;
};

struct sealite_candidates {
  std::size_t bits;
  sealite::Candidates candidates;
};

struct sealite_report {
  std::string json;
};
// NOLINTEND(readability-identifier-naming)

namespace sealite::c {

/// The host's, or for NULL the silent one.
inline Context context_of(const sealite_context* context) {
  return context == nullptr ? Context{} : context->context;
}

/// Gives what `make` makes to the caller, or NULL if it throws.
template <typename Handle, typename Make>
void open_handle(Handle** handle, const char* name, Make&& make) {
  require(handle, name);
  *handle = nullptr;
  *handle = std::make_unique<Handle>(std::forward<Make>(make)()).release();
}

template <typename Handle>
void close_handle(Handle* handle) noexcept {
  const std::unique_ptr<Handle> owned(handle);
}

}  // namespace sealite::c
