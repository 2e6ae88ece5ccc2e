#pragma once

#include <span>
#include <string_view>

namespace sealite::model {

/// A model card compiled into the program (src/model/cards/NAME.yaml).
struct EmbeddedCard {
  std::string_view name;
  std::string_view yaml;
};

/// All of them, sorted by name.
std::span<const EmbeddedCard> embedded_cards();

}  // namespace sealite::model
