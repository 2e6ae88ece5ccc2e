#pragma once

#include "sealite/bench.h"

namespace sealite::cli {

/// Prints the report as one line of JSON: seconds, bytes, multiply-accumulates.
void print_bench_json(const BenchReport& report);

}  // namespace sealite::cli
