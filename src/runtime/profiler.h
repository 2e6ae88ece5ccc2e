#pragma once

#include <string>
#include <vector>

#include "runtime/litert_api.h"

namespace sealite::runtime {

/// How long one operator of the runtime took in one run. XNNPACK fuses and splits the file's operators, so
/// these are its own: "Fully Connected (NC, QDU8, F32, QC8W) GEMM"; an operator that XNNPACK did not take has
/// the file's name, "MIRROR_PAD".
struct OperatorTime {
  std::string name;
  double seconds = 0;  ///< In whole microseconds.
};

/// LiteRT's own profiler, from construction to `stop`. The model must have been compiled with
/// `enable_profiling`.
class Profiler {
 public:
  /// Throws kUnsupported if the library has no profiler, or none for this model.
  Profiler(const LiteRtApi& api, LiteRtCompiledModel model);

  /// The operators that ran since, in that order. Throws kUnsupported if LiteRT's events are not laid out as
  /// in version 2.3.0.
  std::vector<OperatorTime> stop();

 private:
  const LiteRtApi& api_;
  LiteRtProfiler profiler_ = nullptr;
};

}  // namespace sealite::runtime
