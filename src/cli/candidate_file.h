#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "sealite/candidates.h"
#include "sealite/context.h"

namespace sealite::cli {

/// How a candidate's place is named: "line 7 (customer seven)".
std::string with_label(const CandidateLine& place);

/// The list in `file`, nothing if that is empty; warns of messages that it has several times.
std::optional<Candidates> load_candidates(const std::string& file, std::size_t bits, const std::string& key,
                                          const Context& context);

}  // namespace sealite::cli
