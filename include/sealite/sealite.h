#pragma once

#include <string_view>

#include "sealite/bench.h"
#include "sealite/convert.h"
#include "sealite/detector.h"
#include "sealite/embedder.h"
#include "sealite/error.h"
#include "sealite/extract.h"
#include "sealite/make_checkpoint.h"
#include "sealite/verify.h"
#include "sealite/weight_cache.h"

namespace sealite {

/// Sealite's own version, "MAJOR.MINOR.PATCH".
std::string_view version();

}  // namespace sealite
