#include "checkpoint/unpickle.h"

#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/pickle_globals.h"
#include "checkpoint/pickle_input.h"
#include "checkpoint/pickle_objects.h"

// What torch.save writes for one tensor, as pickletools shows it:
//
//    65: X  BINUNICODE 'embedder.unet.inc.double_conv.0.weight'     the name
//   293: h  BINGET     6                                            torch._utils _rebuild_tensor_v2
//   295: (  MARK
//   296: (      MARK
//   297: h          BINGET     7                                    'storage'
//   299: h          BINGET     8                                    torch FloatStorage
//   301: X          BINUNICODE '1'                                  key: the entry NAME/data/1
//   309: h          BINGET     10                                   'cpu'
//   311: M          BININT2    432                                  elements of the storage
//   314: t          TUPLE      (MARK at 296)
//   317: Q      BINPERSID                                           -> storage
//   318: K      BININT1    0                                        offset
//   330: t      TUPLE      (16, 3, 3, 3)                            shape
//   341: t      TUPLE      (27, 9, 3, 1)                            strides
//   344: \x89   NEWFALSE                                            requires_grad
//   345: h      BINGET     3                                        collections OrderedDict
//   348: R      REDUCE                                              () -> no hooks
//   351: t      TUPLE      (MARK at 295)
//   354: R  REDUCE                                                  -> tensor

namespace sealite::checkpoint {
namespace {

constexpr std::size_t kMaxMemo = std::size_t{1} << 21U;
constexpr NodeId kNoneNode = 0, kFalseNode = 1, kTrueNode = 2;

class Machine {
 public:
  explicit Machine(ByteView bytes) : input_(bytes) {
    builder_.add({.kind = NodeKind::kNone});
    builder_.add({.kind = NodeKind::kBool, .integer = 0});
    builder_.add({.kind = NodeKind::kBool, .integer = 1});
  }

  Pickle run() {
    while (true) {
      const bool first = input_.position() == 0;
      const std::uint8_t op = input_.take_opcode();
      if (op == '.') break;
      if (op == 0x80 && first) {
        take_protocol();
        continue;
      }
      const bool known = run_value(op) || run_sequence(op) || run_dict(op) || run_stack(op) || run_memo(op) ||
                         run_object(op);
      if (!known) input_.fail_pickle(fmt::format("opcode 0x{:02x} is not one that torch writes", op));
    }
    const NodeId root = pop();
    if (!stack_.empty() || !marks_.empty()) input_.fail_pickle("values are left over at its end");
    return std::move(builder_).finish(root);
  }
  std::size_t end() const { return input_.position(); }

 private:
  // Protocols 0 and 1 do not say so.
  void take_protocol() {
    if (const auto protocol = input_.take_byte(); protocol > 5)
      input_.fail_pickle(fmt::format("protocol {} is not 0 to 5", protocol));
  }

  // ---- stack ----
  // Values above the last mark; the ones below it belong to an unfinished container and are out of reach.
  std::size_t reach() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  void push(NodeId id) {
    builder_.charge(1);
    stack_.push_back(id);
  }
  void push_node(Node node) { push(builder_.add(std::move(node))); }
  NodeId pop() {
    if (reach() == 0) input_.fail_pickle("it takes a value that is not there");
    const NodeId id = stack_.back();
    stack_.pop_back();
    return id;
  }
  NodeId top() const {
    if (reach() == 0) input_.fail_pickle("it uses a value that is not there");
    return stack_.back();
  }
  std::vector<NodeId> pop_count(std::size_t count) {
    if (reach() < count) input_.fail_pickle("it takes values that are not there");
    std::vector<NodeId> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<NodeId> pop_to_mark() {
    if (marks_.empty()) input_.fail_pickle("it closes a group that was never opened");
    std::vector<NodeId> items = pop_count(reach());
    marks_.pop_back();
    return items;
  }
  std::vector<NodeId> pop_pairs() {
    std::vector<NodeId> items = pop_to_mark();
    if (items.size() % 2 != 0) input_.fail_pickle("a dict has a key without a value");
    return items;
  }

  // ---- opcodes, by group; false: not one of the group ----
  bool run_value(std::uint8_t op) {
    switch (op) {
      case 'N':
        push(kNoneNode);
        return true;
      case 0x88:
        push(kTrueNode);
        return true;
      case 0x89:
        push(kFalseNode);
        return true;
      default:
        break;
    }
    auto value = input_.take_number(op);
    if (!value) value = input_.take_text(op, builder_.texts());
    if (!value) return false;
    push_node(*std::move(value));
    return true;
  }

  bool run_sequence(std::uint8_t op) {
    switch (op) {
      case ')':
        push_items(NodeKind::kTuple, {});
        return true;
      case 0x85:
        push_items(NodeKind::kTuple, pop_count(1));
        return true;
      case 0x86:
        push_items(NodeKind::kTuple, pop_count(2));
        return true;
      case 0x87:
        push_items(NodeKind::kTuple, pop_count(3));
        return true;
      case 't':
        push_items(NodeKind::kTuple, pop_to_mark());
        return true;
      case ']':
        push_items(NodeKind::kList, {});
        return true;
      case 'l':
        push_items(NodeKind::kList, pop_to_mark());
        return true;
      case 'a':
        extend(NodeKind::kList, pop_count(1));
        return true;
      case 'e':
        extend(NodeKind::kList, pop_to_mark());
        return true;
      case 0x8f:
        push_items(NodeKind::kSet, {});
        return true;
      case 0x90:
        extend(NodeKind::kSet, pop_to_mark());
        return true;
      case 0x91:
        push_items(NodeKind::kSet, pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool run_dict(std::uint8_t op) {
    switch (op) {
      case '}':
        push_items(NodeKind::kDict, {});
        return true;
      case 'd':
        push_items(NodeKind::kDict, pop_pairs());
        return true;
      case 's':
        extend(NodeKind::kDict, pop_count(2));
        return true;
      case 'u':
        extend(NodeKind::kDict, pop_pairs());
        return true;
      default:
        return false;
    }
  }

  void push_items(NodeKind kind, std::vector<NodeId> items) {
    push_node({.kind = kind, .items = std::move(items)});
  }
  void extend(NodeKind kind, const std::vector<NodeId>& items) {
    Node& target = builder_.node(top());
    // An opaque object may be a list or a dict with a name of its own.
    if (target.kind != kind && target.kind != NodeKind::kOpaque)
      input_.fail_pickle("it adds items to a value of another kind");
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  bool run_stack(std::uint8_t op) {
    switch (op) {
      case '(':
        builder_.charge(1);
        marks_.push_back(stack_.size());
        return true;
      case '0':
        pop();
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        push(top());
        return true;
      case 0x95:
        input_.take_value<std::uint64_t>();
        return true;  // FRAME: a hint for buffered readers
      default:
        return false;
    }
  }

  bool run_memo(std::uint8_t op) {
    switch (op) {
      case 'q':
        remember(input_.take_byte());
        return true;
      case 'r':
        remember(input_.take_value<std::uint32_t>());
        return true;
      case 'p':
        remember(input_.take_index_line());
        return true;
      case 0x94:
        remember(static_cast<std::uint32_t>(memo_.size()));
        return true;
      case 'h':
        push(recall(input_.take_byte()));
        return true;
      case 'j':
        push(recall(input_.take_value<std::uint32_t>()));
        return true;
      case 'g':
        push(recall(input_.take_index_line()));
        return true;
      default:
        return false;
    }
  }

  void remember(std::uint32_t index) {
    if (memo_.size() >= kMaxMemo) input_.fail_pickle("it remembers too many values");
    memo_[index] = top();
  }
  NodeId recall(std::uint32_t index) const {
    const auto found = memo_.find(index);
    if (found == memo_.end()) input_.fail_pickle(fmt::format("memo {} was never set", index));
    return found->second;
  }

  bool run_object(std::uint8_t op) {
    switch (op) {
      case 'c':
        push(global_line());
        return true;
      case 0x93:
        push(global_on_stack());
        return true;
      case 'R':
      case 0x81: {
        const std::vector<NodeId> call = pop_count(2);
        push(builder_.call(call[0], call[1]));
        return true;
      }
      case 0x92: {
        const std::vector<NodeId> call = pop_count(3);
        push(builder_.call_with_names(call[0], call[1], call[2]));
        return true;
      }
      case 'i': {
        const NodeId callable = global_line();
        call_on_mark(callable, pop_to_mark());
        return true;
      }
      case 'o': {
        std::vector<NodeId> items = pop_to_mark();
        if (items.empty()) input_.fail_pickle("it takes a value that is not there");
        const NodeId callable = items.front();
        items.erase(items.begin());
        call_on_mark(callable, std::move(items));
        return true;
      }
      case 'b': {
        const NodeId state = pop();
        builder_.build(top(), state);
        return true;
      }
      case 'Q':
        push(builder_.storage(pop()));
        return true;
      case 'P':
        push(builder_.storage_of_text(input_.take_line()));
        return true;
      default:
        return false;
    }
  }

  void call_on_mark(NodeId callable, std::vector<NodeId> arguments) {
    push(builder_.call(callable, builder_.add({.kind = NodeKind::kTuple, .items = std::move(arguments)})));
  }

  NodeId global_line() {
    const std::string_view module = input_.take_line();
    return global_node(module, input_.take_line());
  }
  NodeId global_on_stack() {
    const std::vector<NodeId> names = pop_count(2);
    const Node& module = builder_.node(names[0]);
    const Node& name = builder_.node(names[1]);
    if (module.kind != NodeKind::kText || name.kind != NodeKind::kText)
      input_.fail_pickle("a global has no name");
    return global_node(module.text, name.text);
  }

  NodeId global_node(std::string_view module, std::string_view name) {
    if (const Global* global = find_global(module, name))
      return builder_.add({.kind = NodeKind::kGlobal, .global = global});
    if (!is_name(module) || !is_name(name) || is_program(module, name)) {
      fail(ErrorCode::kMalformed,
           "the pickle asks for '{}.{}', which no checkpoint needs: refused, nothing was executed. If you "
           "trust its maker, load it in Python and save only the model's state_dict()",
           printable(module), printable(name));
    }
    return builder_.opaque_global(module, name);
  }

  // As Python writes them: identifiers, joined by dots.
  static bool is_name(std::string_view text) {
    constexpr std::size_t kLongest = 512;
    if (text.empty() || text.size() > kLongest || text.front() == '.' || text.back() == '.') return false;
    while (!text.empty()) {
      const std::size_t length = utf8_sequence_length(text);
      if (length == 0 || !is_showable(text.substr(0, length)) || text[0] == ' ') return false;
      text.remove_prefix(length);
    }
    return true;
  }

  PickleInput input_;
  PickleBuilder builder_;
  std::vector<NodeId> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint32_t, NodeId> memo_;
};

}  // namespace

Pickle unpickle(ByteView bytes) {
  Machine machine(bytes);
  Pickle pickle = machine.run();
  if (machine.end() != bytes.size())
    fail(ErrorCode::kMalformed, "broken pickle at byte {}: bytes follow its end", machine.end());
  return pickle;
}

Pickle unpickle_front(ByteView& bytes) {
  Machine machine(bytes);
  Pickle pickle = machine.run();
  bytes = bytes.subspan(machine.end());
  return pickle;
}

}  // namespace sealite::checkpoint
