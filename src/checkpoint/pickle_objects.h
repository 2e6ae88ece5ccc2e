#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// Owns the nodes of a pickle that is being read and performs its few allowed calls. Throws kMalformed.
class PickleBuilder {
 public:
  NodeId add(Node node);
  Node& node(NodeId id) { return pickle_.nodes[id]; }
  /// Counts `references` to nodes (stack pushes, copied items) against a fixed limit: a pickle can name a
  /// long list again and again at four bytes each, and every name would copy it.
  void charge(std::uint64_t references);
  /// `callable(*arguments)`: REDUCE and NEWOBJ.
  NodeId call(NodeId callable, NodeId arguments);
  /// BUILD: gives `target` its attributes. Only argparse.Namespace keeps them.
  void build(NodeId target, NodeId state);
  /// ('storage', TYPE, KEY, LOCATION, ELEMENTS): BINPERSID.
  NodeId storage(NodeId identifier);
  Pickle finish(NodeId root) &&;

 private:
  NodeId make_dict(const Node& arguments, std::size_t first);
  NodeId make_sequence(NodeKind kind, const Node& arguments);
  NodeId make_tensor(const Node& arguments, bool with_type);
  const Node& argument(const Node& arguments, std::size_t index, NodeKind kind, std::string_view what) const;
  std::vector<std::int64_t> integers(const Node& tuple, std::string_view what);

  Pickle pickle_;
  std::uint64_t references_ = 0;
};

}  // namespace sealite::checkpoint
