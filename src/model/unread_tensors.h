#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "model/parameter.h"

namespace sealite::model {

/// What a checkpoint holds of one network that no layer of it reads, by name.
struct UnreadTensors {
  std::vector<std::string> weights;  ///< A layer that the network does not have: its result would be another.
  std::vector<std::string> notes;  ///< Counters, index tables and what profilers leave: they change nothing.
};

/// The tensors whose names start with `prefix` ("detector.") and that are none of `parameters`, nor one of
/// them under a second name.
UnreadTensors find_unread(const checkpoint::Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
                          std::string_view prefix);

/// "'a', 'b' and 3 more".
std::string list_names(const std::vector<std::string>& names);

/// Throws kMismatch, naming them, if `unread` has weights. `part`: "detector".
void check_unread(const UnreadTensors& unread, const checkpoint::Checkpoint& checkpoint,
                  std::string_view part, const std::string& card_name);

}  // namespace sealite::model
