#include "cli/candidate_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/plain_text.h"

namespace sealite::cli {

std::string with_label(const CandidateLine& place) {
  return place.label.empty() ? fmt::format("line {}", place.line)
                             : fmt::format("line {} ({})", place.line, place.label);
}

std::optional<Candidates> load_candidates(const std::string& file, std::size_t bits, const std::string& key,
                                          const Context& context) {
  if (file.empty()) return std::nullopt;
  Candidates list(file, bits, key, context);
  constexpr std::size_t kNamed = 5;
  const std::vector<RepeatedCandidate> repeats = list.repeats();
  for (std::size_t i = 0; i < std::min(kNamed, repeats.size()); ++i) {
    warn("'{}', {}: the same message as {}; it counts once", file, with_label(repeats[i].again),
         with_label(repeats[i].first));
  }
  if (repeats.size() > kNamed) warn("'{}': {} more lines repeat a message", file, repeats.size() - kNamed);
  return list;
}

}  // namespace sealite::cli
