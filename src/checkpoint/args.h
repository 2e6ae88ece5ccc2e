#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/pickle_value.h"
#include "checkpoint/plain_value.h"

namespace sealite::checkpoint {

/// A YAML mapping as flat text: `a: {b: [x, true]}` gives "a.b.0" -> "x", "a.b.1" -> "true". Throws
/// kMalformed for broken YAML and for what is too large, too deep, or expands without end through aliases.
ArgMap flatten_yaml(std::string_view text);

/// The same for a pickled dict; scalars as Python prints them, but in YAML's spelling (true, null). Values
/// that have no text (tensors, …) are left out. Throws kMalformed likewise.
ArgMap flatten_dict(const Pickle& pickle, const Node& dict);

/// A pickled dict as plain values, types kept, so that it can be written again. Entries that have no plain
/// form (tensors, sets, bytes, integers above 64 bits, types) are left out and named in `dropped` ("a.b").
/// Throws kMalformed for what is too large, too deep or a cycle.
PlainValue plain_dict(const Pickle& pickle, const Node& dict, std::vector<std::string>& dropped);

/// The text of a scalar node, nothing for other kinds.
std::optional<std::string> scalar_text(const Node& node);

/// The scalar that `scalar_text` gives this text for: "64" is an integer, "0.5" a float, "true" a bool,
/// "null" None, and anything else (also "064" or "1e5", which it never gives) a text.
PlainValue scalar_of_text(std::string_view text);

}  // namespace sealite::checkpoint
