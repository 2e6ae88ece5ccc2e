#pragma once

#include <nanobind/nanobind.h>

#include "sealite/error.h"
#include "sealite/weight_cache.h"

namespace sealite::python {

namespace nb = nanobind;

/// `sealite.Error` with its code.
nb::object as_exception(const Error& error);

/// "hit", "made", "off".
const char* cache_name(WeightCacheUse use);

}  // namespace sealite::python
