#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  /// Where texts are kept that do not stand in the pickle as they are.
  std::deque<std::string>& texts() { return pickle_.texts; }
  /// A name that Sealite makes nothing of.
  NodeId opaque_global(std::string_view module, std::string_view name);
  /// `callable(*arguments)`: REDUCE, NEWOBJ, INST and OBJ. What is called by an opaque name is opaque.
  NodeId call(NodeId callable, NodeId arguments);
  /// `callable(*arguments, **named)`: NEWOBJ_EX.
  NodeId call_with_names(NodeId callable, NodeId arguments, NodeId named);
  /// BUILD: gives `target` its attributes. Only argparse.Namespace and opaque objects keep them.
  void build(NodeId target, NodeId state);
  /// ('storage', TYPE, KEY, LOCATION, ELEMENTS[, PART]): BINPERSID.
  NodeId storage(NodeId identifier);
  /// The same as text, which is what protocol 0 makes of it: PERSID.
  NodeId storage_of_text(std::string_view identifier);
  Pickle finish(NodeId root) &&;

 private:
  NodeId call_known(const Global& global, const Node& arguments);
  NodeId make_opaque(std::int64_t name, std::vector<NodeId> items);
  NodeId make_bytes(const Node& arguments);
  NodeId encode(const Node& arguments);
  NodeId make_from_type(const Node& arguments);
  bool make_old_tensor(NodeId target, const Node& state);
  NodeId add_storage(StorageRef storage);
  NodeId make_dict(const Node& arguments, std::size_t first);
  NodeId make_sequence(NodeKind kind, const Node& arguments);
  NodeId make_tensor(const Node& arguments, bool with_type);
  const Node& argument(const Node& arguments, std::size_t index, NodeKind kind, std::string_view what) const;
  std::vector<std::int64_t> integers(const Node& tuple, std::string_view what);

  Pickle pickle_;
  std::uint64_t references_ = 0;
  std::map<std::pair<std::string_view, std::string_view>, NodeId> opaque_globals_;
};

}  // namespace sealite::checkpoint
