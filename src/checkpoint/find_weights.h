#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// The network's weights inside a pickle.
struct FoundWeights {
  /// Name and node of each tensor, and of what stands among them and cannot be read as one: kTensor and
  /// kOpaque nodes.
  std::vector<std::pair<std::string, NodeId>> tensors;
  std::string key;     ///< "model", "ema.model"; empty: the whole file is a state dict, or a TorchScript.
  std::string prefix;  ///< What `key` asked for inside the state dict: names that begin so.
  std::vector<std::string> others;  ///< Keys of further state dicts of such a network.
};

/// The state dict that is meant: the one called `key` if that is not empty, else `model` or `state_dict`,
/// else the only one there is with the names of such a network ("detector.…", "embedder.…"), else the only
/// one. What `key` says behind a state dict's own key is the beginning of the names in it ("state_dict.ema").
/// A TorchScript's modules are one: the names of attributes, joined by dots. Throws kUsage if there are
/// several or none is called `key`, listing them; kUnsupported if there is none, naming what is there
/// instead.
FoundWeights find_weights(const Pickle& pickle, std::string_view key);

/// Whether a module of a TorchScript: a class's name without any code of it.
bool is_script_class(const Pickle& pickle, const Node& node);

/// Whether `name` belongs to a network of Sealite: "detector" or "embedder" is one of its words.
bool has_part_name(std::string_view name);

}  // namespace sealite::checkpoint
