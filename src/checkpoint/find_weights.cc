#include "checkpoint/find_weights.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <span>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/args.h"
#include "checkpoint/growth.h"

namespace sealite::checkpoint {
namespace {

constexpr std::size_t kMaxKeys = 3;
constexpr std::size_t kMaxCandidates = 256;
// Of a TorchScript: modules may be shared, so that a small file names any number of tensors.
constexpr std::size_t kMaxScriptName = 1024;
constexpr std::size_t kMaxScriptText = std::size_t{16} << 20U;
constexpr std::size_t kMaxScriptValues = std::size_t{1} << 20U;
constexpr std::size_t kFewScriptTensors = 4096;

struct Candidate {
  std::string key;
  NodeId dict = 0;
  bool has_parts = false;  // names of such a network
};

std::string quoted_list(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::vector<std::string> words;
  for (const std::string& name : std::span(names).first(std::min(kShown, names.size())))
    words.push_back(fmt::format("'{}'", printable(name)));
  return fmt::format("{}{}", fmt::join(words, ", "),
                     names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "");
}

std::vector<std::string> keys_of(const std::vector<Candidate>& candidates) {
  std::vector<std::string> keys;
  for (const Candidate& candidate : candidates) keys.push_back(candidate.key.empty() ? "." : candidate.key);
  return keys;
}

// Finds the dicts of tensors, whatever they are called, but not behind keys that are no text: those are an
// optimizer's.
class CandidateSearch {
 public:
  explicit CandidateSearch(const Pickle& pickle) : pickle_(pickle), seen_(pickle.nodes.size()) {}

  std::vector<Candidate> run() {
    visit(pickle_.root, "", 0);
    return std::move(found_);
  }

 private:
  void visit(NodeId id, const std::string& key, std::size_t depth) {
    const Node& dict = pickle_[id];
    if (dict.kind != NodeKind::kDict || seen_[id] || found_.size() >= kMaxCandidates) return;
    seen_[id] = true;
    Candidate candidate{key, id};
    bool tensors = false;
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const Node& name = pickle_[dict.items[i]];
      if (pickle_[dict.items[i + 1]].kind != NodeKind::kTensor) continue;
      tensors = true;
      candidate.has_parts |= name.kind == NodeKind::kText && has_part_name(name.text);
    }
    if (tensors) found_.push_back(std::move(candidate));
    if (depth == kMaxKeys) return;
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const Node& name = pickle_[dict.items[i]];
      if (name.kind != NodeKind::kText) continue;
      visit(dict.items[i + 1], key.empty() ? std::string(name.text) : fmt::format("{}.{}", key, name.text),
            depth + 1);
    }
  }

  const Pickle& pickle_;
  std::vector<bool> seen_;
  std::vector<Candidate> found_;
};

// Names the tensors of a TorchScript by the attributes that lead to them.
class ScriptWalk {
 public:
  // A real one names a tensor twice where two modules share it.
  explicit ScriptWalk(const Pickle& pickle)
      : pickle_(pickle),
        max_tensors_(std::max<std::size_t>(kFewScriptTensors, kMostGrowth * pickle.tensors.size())) {}

  std::vector<std::pair<std::string, NodeId>> run() {
    std::vector<std::pair<std::string, NodeId>> open{{"", pickle_.root}};
    while (!open.empty()) {
      const auto [prefix, id] = std::move(open.back());
      open.pop_back();
      const Node& state = pickle_[pickle_[id].state];
      if (state.kind != NodeKind::kDict) continue;
      for (std::size_t i = 0; i + 1 < state.items.size(); i += 2) {
        const Node& word = pickle_[state.items[i]];
        const NodeId value = state.items[i + 1];
        if (word.kind != NodeKind::kText) continue;
        if (++values_ > kMaxScriptValues) too_much();
        if (pickle_[value].kind == NodeKind::kTensor) {
          if (tensors_.size() >= max_tensors_) too_much();
          tensors_.emplace_back(name_of(prefix, word.text), value);
        } else if (is_script_class(pickle_, pickle_[value])) {
          open.emplace_back(name_of(prefix, word.text), value);
        }
      }
    }
    return std::move(tensors_);
  }

 private:
  [[noreturn]] static void too_much() {
    fail(ErrorCode::kMalformed, "the TorchScript's modules hold each other without end");
  }
  std::string name_of(const std::string& prefix, std::string_view word) {
    const std::size_t size = prefix.size() + 1 + word.size();
    text_ += size;
    if (size > kMaxScriptName || text_ > kMaxScriptText) too_much();
    return prefix.empty() ? std::string(word) : fmt::format("{}.{}", prefix, word);
  }

  const Pickle& pickle_;
  std::size_t max_tensors_;
  std::vector<std::pair<std::string, NodeId>> tensors_;
  std::size_t text_ = 0;
  std::size_t values_ = 0;
};

// The class's name if it is a whole torch.nn.Module, pickled with its attributes.
std::string module_class(const Pickle& pickle, const Node& node) {
  if (node.kind != NodeKind::kOpaque) return {};
  const Node& state = pickle[node.state];
  const bool module =
      state.kind == NodeKind::kDict && pickle.find(state, "_modules") && pickle.find(state, "_parameters");
  return module ? pickle.opaque_name(node) : std::string();
}

[[noreturn]] void fail_nothing(const Pickle& pickle) {
  const Node& root = pickle[pickle.root];
  std::string module = module_class(pickle, root);
  std::vector<std::string> keys;
  if (root.kind == NodeKind::kDict) {
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
      keys.push_back(scalar_text(pickle[root.items[i]]).value_or("?"));
      if (module.empty()) module = module_class(pickle, pickle[root.items[i + 1]]);
    }
  }
  if (!module.empty()) {
    fail(ErrorCode::kUnsupported,
         "it holds a whole torch.nn.Module ('{}'), which only its own code could rebuild; load it there and "
         "torch.save(model.state_dict(), …)",
         printable(module));
  }
  if (root.kind == NodeKind::kOpaque) {
    fail(ErrorCode::kUnsupported,
         "it holds one object, '{}', and no state dict; save the model's state_dict()",
         printable(pickle.opaque_name(root)));
  }
  if (root.kind != NodeKind::kDict)
    fail(ErrorCode::kUnsupported, "the file holds no dict but a single value; save the model's state_dict()");
  fail(ErrorCode::kUnsupported, "no 'model' or 'state_dict' dict and no tensors at the top; it has {}",
       keys.empty() ? "nothing" : quoted_list(keys));
}

[[noreturn]] void fail_many(const std::vector<Candidate>& candidates) {
  fail(ErrorCode::kUsage, "it holds several state dicts, {}; say which with --key, for example --key {}",
       quoted_list(keys_of(candidates)), printable(candidates.front().key));
}

// Whether a name in the dict begins with `prefix` and a dot.
bool has_prefix(const Pickle& pickle, NodeId dict, std::string_view prefix) {
  const std::vector<NodeId>& items = pickle[dict].items;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const std::string_view name = pickle[items[i]].text;
    if (name.size() > prefix.size() && name.starts_with(prefix) && name[prefix.size()] == '.') return true;
  }
  return false;
}

struct Choice {
  const Candidate* candidate = nullptr;
  std::string prefix;
};

const Candidate* named(const std::vector<Candidate>& candidates, std::string_view key) {
  // Of two dicts by the same key the last one, as in Python.
  const auto found = std::find_if(candidates.rbegin(), candidates.rend(),
                                  [&](const Candidate& candidate) { return candidate.key == key; });
  return found == candidates.rend() ? nullptr : &*found;
}

Choice choose_named(const Pickle& pickle, const std::vector<Candidate>& candidates, std::string_view key) {
  if (const Candidate* wanted = named(candidates, key == "." ? "" : key)) return {wanted, ""};
  for (const Candidate& candidate : candidates) {
    const std::string before = candidate.key.empty() ? "" : candidate.key + ".";
    if (!key.starts_with(before)) continue;
    const std::string prefix(key.substr(before.size()));
    if (!prefix.empty() && has_prefix(pickle, candidate.dict, prefix)) return {&candidate, prefix};
  }
  if (candidates.empty()) fail_nothing(pickle);
  fail(ErrorCode::kUsage, "no state dict called '{}'; there {} {}", printable(key),
       candidates.size() == 1 ? "is" : "are", quoted_list(keys_of(candidates)));
}

const Candidate& choose(const Pickle& pickle, const std::vector<Candidate>& candidates) {
  std::vector<Candidate> fitting;
  std::ranges::copy_if(candidates, std::back_inserter(fitting), &Candidate::has_parts);
  const std::vector<Candidate>& left = fitting.empty() ? candidates : fitting;
  for (const std::string_view usual : {"model", "state_dict"}) {
    if (const Candidate* found = named(left, usual)) return *named(candidates, found->key);
  }
  if (left.empty()) fail_nothing(pickle);
  if (left.size() > 1) fail_many(left);
  return *named(candidates, left.front().key);
}

// A file whose `model` has no tensors is not searched for others: that was meant.
void check_usual(const Pickle& pickle) {
  const Node& root = pickle[pickle.root];
  if (root.kind != NodeKind::kDict) return;
  const auto model = pickle.find(root, "model");
  if (model && pickle[*model].kind == NodeKind::kDict && pickle[*model].items.empty())
    fail(ErrorCode::kUnsupported, "the model dict holds no tensors");
}

}  // namespace

bool has_part_name(std::string_view name) {
  for (const std::string_view part : {"detector", "embedder"}) {
    for (std::size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1)) {
      const std::size_t end = at + part.size();
      if ((at == 0 || name[at - 1] == '.') && end < name.size() && name[end] == '.') return true;
    }
  }
  return false;
}

bool is_script_class(const Pickle& pickle, const Node& node) {
  return node.kind == NodeKind::kOpaque &&
         pickle.names[static_cast<std::size_t>(node.integer)].module.starts_with("__torch__");
}

FoundWeights find_weights(const Pickle& pickle, std::string_view key) {
  FoundWeights weights;
  if (is_script_class(pickle, pickle[pickle.root])) {
    weights.tensors = ScriptWalk(pickle).run();
    if (weights.tensors.empty()) fail(ErrorCode::kUnsupported, "the TorchScript has no tensors");
    return weights;
  }
  const std::vector<Candidate> candidates = CandidateSearch(pickle).run();
  if (key.empty()) check_usual(pickle);
  const Choice choice =
      key.empty() ? Choice{&choose(pickle, candidates), ""} : choose_named(pickle, candidates, key);
  const Candidate& chosen = *choice.candidate;
  weights.key = chosen.key;
  weights.prefix = choice.prefix;
  for (const Candidate& other : candidates)
    if (other.has_parts && other.key != chosen.key) weights.others.push_back(other.key);
  const Node& dict = pickle[chosen.dict];
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const Node& name = pickle[dict.items[i]];
    const NodeKind kind = pickle[dict.items[i + 1]].kind;
    if (kind != NodeKind::kTensor && kind != NodeKind::kOpaque) continue;
    if (name.kind != NodeKind::kText) fail(ErrorCode::kMalformed, "a tensor of the model has no name");
    weights.tensors.emplace_back(name.text, dict.items[i + 1]);
  }
  return weights;
}

}  // namespace sealite::checkpoint
