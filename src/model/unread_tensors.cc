#include "model/unread_tensors.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <span>

#include "base/error.h"
#include "checkpoint/convert_elements.h"
#include "model/card.h"

namespace sealite::model {
namespace {

// Whole numbers are counters and tables of indices; thop leaves its counts of operations as float64 buffers.
bool is_note(std::string_view name, DType type) {
  const bool whole = !checkpoint::is_float(type);
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return whole || last == "total_ops" || last == "total_params";
}

// Whether one of the parameters is the same tensor under a longer name: a module that two others hold
// (embedder.msg_processor and embedder.unet.msg_processor).
bool is_second_name(const checkpoint::Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
                    std::string_view name, std::string_view prefix) {
  const checkpoint::TensorView& tensor = *checkpoint.find(name);
  const std::string end = fmt::format(".{}", name.substr(prefix.size()));
  return std::ranges::any_of(parameters, [&](const Parameter& parameter) {
    if (!parameter.name.ends_with(end)) return false;
    const checkpoint::TensorView* other = checkpoint.find(parameter.name);
    return other != nullptr && other->type == tensor.type && other->shape == tensor.shape &&
           other->strides == tensor.strides && std::ranges::equal(other->bytes, tensor.bytes);
  });
}

}  // namespace

UnreadTensors find_unread(const checkpoint::Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
                          std::string_view prefix) {
  std::set<std::string_view> read;
  for (const Parameter& parameter : parameters) read.insert(parameter.name);
  UnreadTensors unread;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    if (!name.starts_with(prefix) || read.contains(name)) continue;
    // Every batch normalisation has its own, which counts training steps: not worth a word.
    if (name.ends_with(".num_batches_tracked")) continue;
    if (is_second_name(checkpoint, parameters, name, prefix)) continue;
    (is_note(name, tensor.type) ? unread.notes : unread.weights).push_back(name);
  }
  for (const auto& [name, what] : checkpoint.unreadable()) {
    if (!name.starts_with(prefix) || read.contains(name)) continue;
    // What a module keeps besides its tensors (torch.nn.Module.get_extra_state).
    (name.ends_with("._extra_state") ? unread.notes : unread.weights).push_back(name);
  }
  return unread;
}

std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  const auto shown = std::span(names).first(std::min(kShown, names.size()));
  const std::string text = fmt::format("'{}'", fmt::join(shown, "', '"));
  return names.size() <= kShown ? text : fmt::format("{} and {} more", text, names.size() - kShown);
}

void check_unread(const UnreadTensors& unread, const checkpoint::Checkpoint& checkpoint,
                  std::string_view part, const std::string& card_name) {
  if (unread.weights.empty()) return;
  fail(ErrorCode::kMismatch,
       "'{}' has {} weight{} that no layer of the {} reads by the card '{}', so the model would not compute "
       "what "
       "the checkpoint's network does: {}; give the card of that network (--card {} or a YAML file)",
       checkpoint.path().string(), unread.weights.size(), unread.weights.size() == 1 ? "" : "s", part,
       card_name, list_names(unread.weights), fmt::join(card_names(), ", "));
}

}  // namespace sealite::model
