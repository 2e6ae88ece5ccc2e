#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "model_file/workload.h"
#include "runtime/compiled_model.h"
#include "sealite/bench.h"

namespace sealite::measure {

/// A checked file, before LiteRT sees it.
struct Candidate {
  std::shared_ptr<const model_file::ModelFile> file;
  std::filesystem::path path;
  std::string signature;  ///< As LiteRT calls it, also where the file has none.
  model_file::Workload work;
  std::uint64_t bytes = 0;
};

/// Throws what model_file::read_workload throws, and kUnsupported for inputs that are not float32.
Candidate check_candidate(const std::filesystem::path& path, const std::string& signature);

/// Loads it and writes every input: it can run. `profile`: see runtime::RunOptions. Throws as
/// runtime::CompiledModel does.
runtime::CompiledModel load(const Candidate& candidate, const BenchOptions& options, bool profile);

/// Seconds of one run. Throws kInterrupted.
double time_run(runtime::CompiledModel& model);

}  // namespace sealite::measure
