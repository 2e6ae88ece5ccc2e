#include "checkpoint/unwrap_names.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/find_weights.h"

namespace sealite::checkpoint {
namespace {

// torch.nn.DataParallel, torch.compile, FSDP, activation checkpointing, DeepSpeed.
constexpr std::string_view kWrapperWords[] = {"module", "_orig_mod", "_fsdp_wrapped_module",
                                              "_checkpoint_wrapped_module", "_forward_module"};

// What stands before the first "detector" or "embedder" of a name that has one.
std::string_view part_prefix_of(std::string_view name) {
  std::string_view rest = name;
  while (!rest.starts_with("detector.") && !rest.starts_with("embedder."))
    rest.remove_prefix(rest.find('.') + 1);
  return name.substr(0, name.size() - rest.size());
}

template <typename Map, typename Rename>
void rename_all(Map& map, Rename rename) {
  Map renamed;
  for (auto& [name, value] : map) renamed.insert_or_assign(rename(name), std::move(value));
  map = std::move(renamed);
}

std::string without_words(const std::string& name) {
  std::string kept;
  std::string_view rest = name;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view word = rest.substr(0, end);
    const bool last = end == rest.size();
    rest.remove_prefix(last ? end : end + 1);
    if (!last && std::ranges::find(kWrapperWords, word) != std::end(kWrapperWords)) continue;
    kept += word;
    if (!last) kept += '.';
  }
  return kept;
}

std::set<std::string> prefixes_of(const Contents& contents) {
  std::set<std::string> prefixes;
  for (const auto& [name, tensor] : contents.tensors) {
    if (has_part_name(name)) prefixes.emplace(part_prefix_of(name));
  }
  return prefixes;
}

// The prefix that is to be taken off; empty if none is.
std::string choose_prefix(const Contents& contents) {
  if (!contents.name_prefix.empty()) {
    const std::string wanted = contents.name_prefix + ".";
    const bool there = std::ranges::any_of(
        contents.tensors, [&](const auto& tensor) { return tensor.first.starts_with(wanted); });
    if (there) return wanted;
    fail(ErrorCode::kUsage, "no tensor's name begins with '{}'", printable(wanted));
  }
  const std::set<std::string> prefixes = prefixes_of(contents);
  if (prefixes.empty() || prefixes.contains("")) return {};
  if (prefixes.size() == 1) return *prefixes.begin();
  std::vector<std::string> shown;
  for (const std::string& prefix : prefixes) {
    if (shown.size() < 8) shown.push_back(printable(prefix.substr(0, prefix.size() - 1)));
  }
  fail(ErrorCode::kUsage, "it holds several networks, under '{}'; say which with --key, for example --key {}",
       fmt::join(shown, "', '"), shown.front());
}

}  // namespace

void unwrap_names(Contents& contents) {
  // First the words that may stand anywhere: two prefixes may differ by them alone.
  const bool wrapped = std::ranges::any_of(contents.tensors, [](const auto& tensor) {
    return has_part_name(tensor.first) && without_words(tensor.first) != tensor.first;
  });
  if (wrapped) {
    std::set<std::string> names;
    for (const auto& [name, tensor] : contents.tensors) names.insert(without_words(name));
    if (names.size() == contents.tensors.size()) {
      rename_all(contents.tensors, without_words);
      rename_all(contents.unreadable, without_words);
      contents.notes.emplace_back(
          "the names hold words of wrappers (module, _orig_mod, …), which were taken off");
    }
  }
  const std::string prefix = choose_prefix(contents);
  if (prefix.empty()) return;
  const auto shorten = [&](const std::string& name) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  };
  rename_all(contents.tensors, shorten);
  rename_all(contents.unreadable, shorten);
  contents.notes.push_back(fmt::format("the names begin with '{}', which was taken off", prefix));
}

}  // namespace sealite::checkpoint
