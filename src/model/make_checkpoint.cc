#include "sealite/make_checkpoint.h"

#include <cstring>

#include "base/context.h"
#include "base/error.h"
#include "checkpoint/torch_writer.h"
#include "model/card.h"
#include "model/network.h"

namespace sealite {
namespace {

// SplitMix64's finaliser: a counter in, 64 well-mixed bits out. Any block of a tensor can be made by itself.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

// Uniform in [center - spread, center + spread]; two values from each counter.
void fill_uniform(const model::Parameter& parameter, std::uint64_t stream, std::uint64_t byte_offset,
                  MutableByteView out) {
  const std::uint64_t first = byte_offset / sizeof(float);
  for (std::size_t i = 0; i < out.size() / sizeof(float); ++i) {
    const std::uint64_t index = first + i;
    const std::uint64_t word = mix(stream + index / 2) >> (index % 2 == 0 ? 0U : 32U);
    const float unit = static_cast<float>(word & 0xFFFFFFU) * 0x1p-23F - 1.0F;  // [-1, 1)
    const float value = parameter.center + parameter.spread * unit;
    std::memcpy(out.data() + i * sizeof(float), &value, sizeof(float));
  }
}

void fill_integers(const model::Parameter& parameter, MutableByteView out) {
  const auto value = static_cast<std::int64_t>(parameter.center);
  for (std::size_t i = 0; i < out.size(); i += sizeof(value))
    std::memcpy(out.data() + i, &value, sizeof(value));
}

checkpoint::NewTensor make_tensor(const model::Parameter& parameter, std::uint64_t stream) {
  checkpoint::NewTensor tensor;
  tensor.name = parameter.name;
  tensor.type = parameter.type;
  tensor.shape = parameter.shape;
  tensor.same_storage_as = parameter.same_storage_as;
  tensor.fill = [parameter, stream](std::uint64_t offset, MutableByteView out) {
    if (parameter.type == DType::kInt64) return fill_integers(parameter, out);
    fill_uniform(parameter, stream, offset, out);
  };
  return tensor;
}

std::string args_text(const model::Card& card) {
  const double multiplier = static_cast<double>(card.hidden_size) / static_cast<double>(card.bits);
  return fmt::format(
      "attenuation: {}\nnbits: {}\nhidden_size_multiplier: {}\nimg_size_proc: {}\nscaling_w: {}\nscaling_i: "
      "{}\n"
      "embedder_model: {}\nextractor_model: {}\n",
      card.attenuation, card.bits, multiplier, card.image_size, card.scaling_w, card.scaling_i,
      card.embedder.model, card.detector.model);
}

constexpr std::string_view kDetector = "detector.";

// What an optimizer holds and `load_state_dict` trains: no buffers, and shared memory once.
bool is_trained(const model::Parameter& parameter) {
  return parameter.same_storage_as.empty() && !parameter.is_buffer;
}

// A stream of 2^40 counters for each tensor of each seed.
std::uint64_t stream_of(std::uint64_t seed, std::size_t tensor) {
  return mix(seed) + (static_cast<std::uint64_t>(tensor) << 40U);
}

// {"state": {i: {"step", "exp_avg", "exp_avg_sq"}}, "param_groups": [{…, "params": [i, …]}]}: the state dict
// of torch.optim.AdamW after a thousand steps, with its tensors in `content.section_tensors`.
class OptimizerState {
 public:
  OptimizerState(checkpoint::NewCheckpoint& content, std::uint64_t seed) : content_(content), seed_(seed) {}

  void add(const model::Parameter& trained) {
    const auto index = static_cast<std::int64_t>(params_.items.size());
    checkpoint::PlainValue entry = dict();
    entry.set("step", tensor({.name = fmt::format("step of {}", trained.name), .shape = {}, .center = 1000}));
    entry.set("exp_avg", tensor({.name = fmt::format("exp_avg of {}", trained.name),
                                 .shape = trained.shape,
                                 .spread = 1e-3F}));
    entry.set("exp_avg_sq", tensor({.name = fmt::format("exp_avg_sq of {}", trained.name),
                                    .shape = trained.shape,
                                    .center = 1e-6F,
                                    .spread = 1e-6F}));
    state_.items.push_back(checkpoint::PlainValue::of_int(index));
    state_.items.push_back(std::move(entry));
    params_.items.push_back(checkpoint::PlainValue::of_int(index));
  }

  checkpoint::PlainValue take() {
    using checkpoint::PlainValue;
    PlainValue group = dict();
    group.set("lr", PlainValue::of_float(1e-4));
    group.set("betas", {.kind = PlainValue::Kind::kTuple,
                        .items = {PlainValue::of_float(0.9), PlainValue::of_float(0.999)}});
    group.set("eps", PlainValue::of_float(1e-8));
    group.set("weight_decay", PlainValue::of_float(0));
    group.set("params", std::move(params_));
    PlainValue optimizer = dict();
    optimizer.set("state", std::move(state_));
    optimizer.set("param_groups", {.kind = PlainValue::Kind::kList, .items = {std::move(group)}});
    return optimizer;
  }

 private:
  static checkpoint::PlainValue dict() { return {.kind = checkpoint::PlainValue::Kind::kDict}; }

  checkpoint::PlainValue tensor(const model::Parameter& parameter) {
    const std::size_t index = content_.section_tensors.size();
    const std::uint64_t stream = stream_of(seed_, content_.model.size() + index);
    content_.section_tensors.push_back(make_tensor(parameter, stream));
    return checkpoint::PlainValue::of_tensor(index);
  }

  checkpoint::NewCheckpoint& content_;
  std::uint64_t seed_;
  checkpoint::PlainValue state_ = dict();
  checkpoint::PlainValue params_{.kind = checkpoint::PlainValue::Kind::kList};
};

}  // namespace

MakeCheckpointReport make_checkpoint(const std::filesystem::path& output,
                                     const MakeCheckpointOptions& options) {
  const InContext scope(options.context);
  const model::Card card = model::load_card(options.card);
  std::vector<model::Parameter> parameters;
  if (!options.detector_only) {
    if (!card.embedder.present) {
      fail(ErrorCode::kUsage, "card '{}' has no embedder; use --part detector", card.name);
    }
    parameters = model::make_embedder(card)->saved_parameters();
  }
  for (model::Parameter& parameter : model::make_detector(card)->parameters())
    parameters.push_back(std::move(parameter));

  checkpoint::NewCheckpoint content;
  content.archive_name = output.stem().string();
  content.args_yaml = args_text(card);
  if (!options.detector_only) content.epoch = 0;
  MakeCheckpointReport report;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    content.model.push_back(make_tensor(parameters[i], stream_of(options.seed, i)));
    if (is_trained(parameters[i])) report.parameters += element_count(parameters[i].shape).value_or(0);
  }
  if (options.training_state) {
    OptimizerState optimizer(content, options.seed);
    for (const model::Parameter& parameter : parameters) {
      if (is_trained(parameter) && parameter.name.starts_with(kDetector)) optimizer.add(parameter);
    }
    content.sections.emplace_back("optimizer", optimizer.take());
  }
  checkpoint::write_torch_file(output, content);
  report.tensors = parameters.size();
  report.bytes = std::filesystem::file_size(output);
  return report;
}

}  // namespace sealite
