#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "checkpoint/checkpoint.h"
#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// A YAML mapping as flat text: `a: {b: [x, true]}` gives "a.b.0" -> "x", "a.b.1" -> "true". Throws
/// kMalformed for broken YAML and for what is too large, too deep, or expands without end through aliases.
ArgMap flatten_yaml(std::string_view text);

/// The same for a pickled dict; scalars as Python prints them, but in YAML's spelling (true, null). Values
/// that have no text (tensors, …) are left out. Throws kMalformed likewise.
ArgMap flatten_dict(const Pickle& pickle, const Node& dict);

/// The text of a scalar node, nothing for other kinds.
std::optional<std::string> scalar_text(const Node& node);

}  // namespace sealite::checkpoint
