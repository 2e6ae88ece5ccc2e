#include "checkpoint/args.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <cstddef>

#include "base/error.h"
#include "base/utf8.h"

namespace sealite::checkpoint {
namespace {

// Real ones have under 100 values, 3 levels and 4 KB.
constexpr std::size_t kMaxYaml = std::size_t{1} << 20U;
constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxArgs = std::size_t{1} << 16U;
constexpr std::size_t kMaxKey = 1024;
// Of all keys and values together: aliases can repeat one long text at a few bytes each.
constexpr std::size_t kMaxText = std::size_t{16} << 20U;

// Counts what was read: nesting may be a cycle, and aliases may repeat a subtree without end.
class Budget {
 public:
  void visit(const std::string& key, int depth) {
    if (depth > kMaxDepth) fail(ErrorCode::kMalformed, "args: nested deeper than {} levels", kMaxDepth);
    if (++visits_ > kMaxArgs) fail(ErrorCode::kMalformed, "args: more than {} values", kMaxArgs);
    if (key.size() > kMaxKey) fail(ErrorCode::kMalformed, "args: a key of more than {} bytes", kMaxKey);
    charge(key.size());
  }
  void charge(std::size_t text_bytes) {
    text_ += text_bytes;
    if (text_ > kMaxText) fail(ErrorCode::kMalformed, "args: more than {} bytes of text", kMaxText);
  }

 private:
  std::size_t visits_ = 0;
  std::size_t text_ = 0;
};

// Collects flat values under a budget.
class Flattener {
 public:
  void visit(const std::string& key, int depth) { budget_.visit(key, depth); }
  void set(const std::string& key, std::string value) {
    budget_.charge(value.size());
    if (!is_utf8(key) || !is_utf8(value)) {
      fail(ErrorCode::kMalformed, "args: '{}' is not UTF-8", printable(key));
    }
    values_.insert_or_assign(key, std::move(value));
  }
  ArgMap take() { return std::move(values_); }

 private:
  ArgMap values_;
  Budget budget_;
};

std::string join(const std::string& prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, key);
}

void flatten(const YAML::Node& node, const std::string& key, int depth, Flattener& out) {
  out.visit(key, depth);
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      out.set(key, "null");
      return;
    case YAML::NodeType::Scalar:
      out.set(key, node.Scalar());
      return;
    case YAML::NodeType::Sequence: {
      std::size_t index = 0;
      for (const auto& item : node) flatten(item, join(key, std::to_string(index++)), depth + 1, out);
      return;
    }
    case YAML::NodeType::Map:
      for (const auto& item : node) {
        if (!item.first.IsScalar())
          fail(ErrorCode::kMalformed, "args: a key under '{}' is not text", printable(key));
        flatten(item.second, join(key, item.first.Scalar()), depth + 1, out);
      }
      return;
  }
}

void flatten(const Pickle& pickle, const Node& node, const std::string& key, int depth, Flattener& out) {
  out.visit(key, depth);
  if (node.kind == NodeKind::kDict) {
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const auto name = scalar_text(pickle[node.items[i]]);
      if (name) flatten(pickle, pickle[node.items[i + 1]], join(key, *name), depth + 1, out);
    }
  } else if (node.kind == NodeKind::kList || node.kind == NodeKind::kTuple || node.kind == NodeKind::kSet) {
    std::size_t index = 0;
    for (const NodeId item : node.items) {
      flatten(pickle, pickle[item], join(key, std::to_string(index++)), depth + 1, out);
    }
  } else if (auto text = scalar_text(node)) {
    out.set(key, *std::move(text));
  }
}

std::string float_text(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::string text = fmt::format("{}", value);
  // fmt prints 1.0 as "1"; Python and YAML keep it a float.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Rebuilds args from a pickle under a budget.
class PlainReader {
 public:
  PlainReader(const Pickle& pickle, std::vector<std::string>& dropped) : pickle_(pickle), dropped_(dropped) {}

  // Nothing if the value, or an item of a list or tuple, has no plain form.
  std::optional<PlainValue> read(const Node& node, const std::string& key, int depth) {
    budget_.visit(key, depth);
    switch (node.kind) {
      case NodeKind::kNone:
        return PlainValue{};
      case NodeKind::kBool:
        return PlainValue::of_bool(node.integer != 0);
      case NodeKind::kInt:
        return PlainValue::of_int(node.integer);
      case NodeKind::kFloat:
        return PlainValue::of_float(node.real);
      case NodeKind::kText:
        budget_.charge(node.text.size());
        return PlainValue::of_text(std::string(node.text));
      case NodeKind::kTuple:
        return read_items(PlainValue::Kind::kTuple, node, key, depth);
      case NodeKind::kList:
        return read_items(PlainValue::Kind::kList, node, key, depth);
      case NodeKind::kDict:
        return read_dict(node, key, depth);
      case NodeKind::kBigInt:
      case NodeKind::kBytes:
      case NodeKind::kSet:
      case NodeKind::kGlobal:
      case NodeKind::kStorage:
      case NodeKind::kTensor:
      case NodeKind::kOpaque:
        break;
    }
    return std::nullopt;
  }

  PlainValue read_dict(const Node& node, const std::string& key, int depth) {
    PlainValue dict{.kind = PlainValue::Kind::kDict};
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const Node& key_node = pickle_[node.items[i]];
      const auto name = scalar_text(key_node);
      const std::string path = join(key, name.value_or("?"));
      auto entry_key = name ? read(key_node, path, depth + 1) : std::nullopt;
      auto value = entry_key ? read(pickle_[node.items[i + 1]], path, depth + 1) : std::nullopt;
      if (value) {
        dict.items.push_back(*std::move(entry_key));
        dict.items.push_back(*std::move(value));
      } else {
        budget_.visit(path, depth + 1);
        dropped_.push_back(path);
      }
    }
    return dict;
  }

 private:
  std::optional<PlainValue> read_items(PlainValue::Kind kind, const Node& node, const std::string& key,
                                       int depth) {
    PlainValue list{.kind = kind};
    for (const NodeId item : node.items) {
      auto value = read(pickle_[item], key, depth + 1);
      if (!value) return std::nullopt;
      list.items.push_back(*std::move(value));
    }
    return list;
  }

  const Pickle& pickle_;
  std::vector<std::string>& dropped_;
  Budget budget_;
};

// The number that is the whole of `text`.
template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string> scalar_text(const Node& node) {
  switch (node.kind) {
    case NodeKind::kNone:
      return "null";
    case NodeKind::kBool:
      return node.integer != 0 ? "true" : "false";
    case NodeKind::kInt:
      return std::to_string(node.integer);
    case NodeKind::kFloat:
      return float_text(node.real);
    case NodeKind::kText:
      return std::string(node.text);
    case NodeKind::kBigInt:
    case NodeKind::kBytes:
    case NodeKind::kTuple:
    case NodeKind::kList:
    case NodeKind::kDict:
    case NodeKind::kSet:
    case NodeKind::kGlobal:
    case NodeKind::kStorage:
    case NodeKind::kTensor:
    case NodeKind::kOpaque:
      break;
  }
  return std::nullopt;
}

ArgMap flatten_yaml(std::string_view text) {
  if (text.size() > kMaxYaml) {
    fail(ErrorCode::kMalformed, "args: {} bytes of YAML, at most {} are expected", text.size(), kMaxYaml);
  }
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (root.IsNull()) return {};
    if (!root.IsMap()) fail(ErrorCode::kMalformed, "args: the YAML text is no mapping");
    Flattener out;
    flatten(root, "", 0, out);
    return out.take();
  } catch (const YAML::Exception& error) {
    fail(ErrorCode::kMalformed, "args: broken YAML: {}", printable(error.what()));
  }
}

ArgMap flatten_dict(const Pickle& pickle, const Node& dict) {
  Flattener out;
  flatten(pickle, dict, "", 0, out);
  return out.take();
}

PlainValue plain_dict(const Pickle& pickle, const Node& dict, std::vector<std::string>& dropped) {
  return PlainReader(pickle, dropped).read_dict(dict, "", 0);
}

PlainValue scalar_of_text(std::string_view text) {
  if (text == "null") return {};
  if (text == "true" || text == "false") return PlainValue::of_bool(text == "true");
  if (const auto integer = number<std::int64_t>(text); integer && std::to_string(*integer) == text) {
    return PlainValue::of_int(*integer);
  }
  if (const auto real = number<double>(text); real && float_text(*real) == text) {
    return PlainValue::of_float(*real);
  }
  return PlainValue::of_text(std::string(text));
}

}  // namespace sealite::checkpoint
