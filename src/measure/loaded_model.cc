#include "measure/loaded_model.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "base/stopwatch.h"

namespace sealite::measure {
namespace {

// LiteRT's name for the one signature of a file that has none.
constexpr const char* kNoSignature = "<placeholder signature>";

constexpr std::uint64_t kMaxInputElements = std::uint64_t{1} << 28U;  // 1 GB: a stranger's shape

/// Slow waves and some noise in [0, 1]; whether rows or channels come first does not matter here.
float picture_value(std::size_t index, float noise) {
  const float wave = std::sin(0.013F * static_cast<float>(index % 4096));
  return std::clamp(0.5F + 0.4F * wave + 0.1F * (noise - 0.5F), 0.0F, 1.0F);
}

std::vector<float> synthetic_values(const model_file::ModelTensor& input) {
  std::vector<float> values(element_count(input.shape).value_or(0));
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float value = uniform(random);
    if (input.name == "image") values[i] = picture_value(i, value);
    if (input.name == "message") values[i] = value < 0.5F ? 0.0F : 1.0F;
    if (input.name != "image" && input.name != "message") values[i] = value;
  }
  return values;
}

void check_input(const Candidate& candidate, const model_file::ModelTensor& input) {
  if (input.type != DType::kFloat32) {
    fail(ErrorCode::kUnsupported, "'{}': input '{}' is {}; only models with float32 inputs are measured",
         candidate.path.string(), input.name, dtype_name(input.type));
  }
  const auto count = element_count(input.shape);
  if (!count || *count > kMaxInputElements) {
    fail(ErrorCode::kUnsupported, "'{}': input '{}' of shape {}", candidate.path.string(), input.name,
         to_string(input.shape));
  }
}

}  // namespace

Candidate check_candidate(const std::filesystem::path& path, const std::string& signature) {
  Candidate candidate;
  candidate.file = model_file::open_model(path);
  const model_file::ModelInfo info = model_file::read_model(*candidate.file);
  candidate.path = path;
  candidate.bytes = info.file_bytes;
  candidate.signature = signature;
  const bool none = info.signatures.empty() && signature.empty();
  if (signature.empty() && !none) candidate.signature = info.signatures.front().key;
  if (!none && std::ranges::find(info.signatures, candidate.signature, &model_file::ModelSignature::key) ==
                   info.signatures.end()) {
    std::string keys;
    for (const model_file::ModelSignature& each : info.signatures) keys += fmt::format(" '{}'", each.key);
    fail(ErrorCode::kUsage, "'{}' has no signature '{}'; it has{}", path.string(), candidate.signature,
         keys.empty() ? " none" : keys);
  }
  candidate.work = model_file::read_workload(*candidate.file, candidate.signature);
  if (none) candidate.signature = kNoSignature;
  for (const model_file::ModelTensor& input : candidate.work.inputs) check_input(candidate, input);
  return candidate;
}

runtime::CompiledModel load(const Candidate& candidate, const BenchOptions& options, bool profile) {
  runtime::RunOptions run;
  run.threads = options.threads;
  run.library = current_context().litert_library;
  run.profile = profile;
  run.tables_per_run = candidate.signature == "embed";  // as Embedder runs it
  runtime::CompiledModel model(model_file::mapped_bytes(*candidate.file), candidate.signature, run);
  const std::vector<runtime::TensorInfo>& inputs = model.inputs();
  const auto stored = [&](const runtime::TensorInfo& input) -> const model_file::ModelTensor& {
    const auto found = std::ranges::find(candidate.work.inputs, input.name, &model_file::ModelTensor::name);
    if (found == candidate.work.inputs.end())
      fail(ErrorCode::kUnsupported, "'{}': LiteRT's input '{}'", candidate.path.string(), input.name);
    return *found;
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) model.resize_input(i, stored(inputs[i]).shape);
  for (std::size_t i = 0; i < inputs.size(); ++i) model.write_input(i, synthetic_values(stored(inputs[i])));
  return model;
}

double time_run(runtime::CompiledModel& model) {
  check_cancelled();
  const Stopwatch stopwatch;
  model.run();
  return stopwatch.seconds();
}

}  // namespace sealite::measure
