#pragma once

#include "runtime/compiled_model.h"
#include "sealite/weight_cache.h"

namespace sealite {

inline WeightCacheUse to_public(runtime::CacheUse use) {
  switch (use) {
    case runtime::CacheUse::kHit:
      return WeightCacheUse::kHit;
    case runtime::CacheUse::kMade:
      return WeightCacheUse::kMade;
    case runtime::CacheUse::kOff:
      break;
  }
  return WeightCacheUse::kOff;
}

}  // namespace sealite
