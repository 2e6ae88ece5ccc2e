#include "checkpoint/unpickle.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/pickle_globals.h"
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
  explicit Machine(ByteView bytes) : bytes_(bytes) {
    builder_.add({.kind = NodeKind::kNone});
    builder_.add({.kind = NodeKind::kBool, .integer = 0});
    builder_.add({.kind = NodeKind::kBool, .integer = 1});
  }

  Pickle run() {
    if (take_byte() != 0x80) fail_pickle("it does not start with PROTO");
    if (const auto protocol = take_byte(); protocol < 2 || protocol > 5) {
      fail_pickle(fmt::format("protocol {} is not 2 to 5", protocol));
    }
    while (true) {
      opcode_at_ = at_;
      const std::uint8_t op = take_byte();
      if (op == '.') break;
      const bool known = run_scalar(op) || run_text(op) || run_sequence(op) || run_dict(op) ||
                         run_stack(op) || run_memo(op) || run_object(op);
      if (!known) fail_pickle(fmt::format("opcode 0x{:02x} is not one that torch writes", op));
    }
    const NodeId root = pop();
    if (!stack_.empty() || !marks_.empty()) fail_pickle("values are left over at its end");
    if (at_ != bytes_.size()) fail_pickle("bytes follow its end");
    return std::move(builder_).finish(root);
  }

 private:
  [[noreturn]] void fail_pickle(std::string_view what) const {
    fail(ErrorCode::kMalformed, "broken pickle at byte {}: {}", opcode_at_, what);
  }

  // ---- input ----
  ByteView take(std::uint64_t size) {
    if (size > bytes_.size() - at_) fail_pickle("it ends early");
    const ByteView result = bytes_.subspan(at_, size);
    at_ += size;
    return result;
  }
  template <typename T>
  T take_value() {
    return load<T>(take(sizeof(T)));
  }
  std::uint8_t take_byte() { return take_value<std::uint8_t>(); }
  std::string_view take_line() {
    const std::string_view rest = as_text(bytes_.subspan(at_));
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) fail_pickle("it ends inside a name");
    at_ += end + 1;
    return rest.substr(0, end);
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
    if (reach() == 0) fail_pickle("it takes a value that is not there");
    const NodeId id = stack_.back();
    stack_.pop_back();
    return id;
  }
  NodeId top() const {
    if (reach() == 0) fail_pickle("it uses a value that is not there");
    return stack_.back();
  }
  std::vector<NodeId> pop_count(std::size_t count) {
    if (reach() < count) fail_pickle("it takes values that are not there");
    std::vector<NodeId> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<NodeId> pop_to_mark() {
    if (marks_.empty()) fail_pickle("it closes a group that was never opened");
    std::vector<NodeId> items = pop_count(reach());
    marks_.pop_back();
    return items;
  }

  // ---- opcodes, by group; false: not one of the group ----
  bool run_scalar(std::uint8_t op) {
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
      case 'J':
        push_integer(take_value<std::int32_t>());
        return true;
      case 'K':
        push_integer(take_value<std::uint8_t>());
        return true;
      case 'M':
        push_integer(take_value<std::uint16_t>());
        return true;
      case 0x8a:
        push_long(take(take_byte()));
        return true;
      case 0x8b:
        push_long(take(take_value<std::uint32_t>()));
        return true;
      case 'G': {  // the only big-endian value of the format
        const double real = std::bit_cast<double>(__builtin_bswap64(take_value<std::uint64_t>()));
        push_node({.kind = NodeKind::kFloat, .real = real});
        return true;
      }
      default:
        return false;
    }
  }

  void push_integer(std::int64_t value) { push_node({.kind = NodeKind::kInt, .integer = value}); }

  // Little-endian two's complement of any length; what passes 64 bits (seeds of random generators) is kept as
  // bytes.
  void push_long(ByteView bytes) {
    if (bytes.size() > sizeof(std::uint64_t)) {
      push_node({.kind = NodeKind::kBigInt, .text = as_text(bytes)});
      return;
    }
    const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
    std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
      value = (value << 8U) | std::to_integer<std::uint64_t>(bytes[i]);
    push_integer(static_cast<std::int64_t>(value));
  }

  bool run_text(std::uint8_t op) {
    switch (op) {
      case 'X':
        push_text(take(take_value<std::uint32_t>()));
        return true;
      case 0x8c:
        push_text(take(take_byte()));
        return true;
      case 0x8d:
        push_text(take(take_value<std::uint64_t>()));
        return true;
      case 'T':
      case 'B':
        push_bytes(take(take_value<std::uint32_t>()));
        return true;
      case 'U':
      case 'C':
        push_bytes(take(take_byte()));
        return true;
      case 0x8e:
      case 0x96:
        push_bytes(take(take_value<std::uint64_t>()));
        return true;
      default:
        return false;
    }
  }

  void push_text(ByteView bytes) {
    if (!is_utf8(as_text(bytes))) fail_pickle("a text is not UTF-8");
    push_node({.kind = NodeKind::kText, .text = as_text(bytes)});
  }
  void push_bytes(ByteView bytes) { push_node({.kind = NodeKind::kBytes, .text = as_text(bytes)}); }

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
      case 's':
        extend(NodeKind::kDict, pop_count(2));
        return true;
      case 'u': {
        std::vector<NodeId> items = pop_to_mark();
        if (items.size() % 2 != 0) fail_pickle("a dict has a key without a value");
        extend(NodeKind::kDict, items);
        return true;
      }
      default:
        return false;
    }
  }

  void push_items(NodeKind kind, std::vector<NodeId> items) {
    push_node({.kind = kind, .items = std::move(items)});
  }
  void extend(NodeKind kind, const std::vector<NodeId>& items) {
    Node& target = builder_.node(top());
    if (target.kind != kind) fail_pickle("it adds items to a value of another kind");
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
        take_value<std::uint64_t>();
        return true;  // FRAME: a hint for buffered readers
      default:
        return false;
    }
  }

  bool run_memo(std::uint8_t op) {
    switch (op) {
      case 'q':
        remember(take_byte());
        return true;
      case 'r':
        remember(take_value<std::uint32_t>());
        return true;
      case 0x94:
        remember(static_cast<std::uint32_t>(memo_.size()));
        return true;
      case 'h':
        push(recall(take_byte()));
        return true;
      case 'j':
        push(recall(take_value<std::uint32_t>()));
        return true;
      default:
        return false;
    }
  }

  void remember(std::uint32_t index) {
    if (memo_.size() >= kMaxMemo) fail_pickle("it remembers too many values");
    memo_[index] = top();
  }
  NodeId recall(std::uint32_t index) const {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail_pickle(fmt::format("memo {} was never set", index));
    return found->second;
  }

  bool run_object(std::uint8_t op) {
    switch (op) {
      case 'c': {
        const std::string_view module = take_line();
        push_global(module, take_line());
        return true;
      }
      case 0x93: {
        const std::vector<NodeId> names = pop_count(2);
        const Node& module = builder_.node(names[0]);
        const Node& name = builder_.node(names[1]);
        if (module.kind != NodeKind::kText || name.kind != NodeKind::kText)
          fail_pickle("a global has no name");
        push_global(module.text, name.text);
        return true;
      }
      case 'R':
      case 0x81: {
        const std::vector<NodeId> call = pop_count(2);
        push(builder_.call(call[0], call[1]));
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
      default:
        return false;
    }
  }

  void push_global(std::string_view module, std::string_view name) {
    const Global* global = find_global(module, name);
    if (global == nullptr) {
      fail(ErrorCode::kMalformed,
           "the pickle asks for '{}.{}', which no checkpoint needs: refused, nothing was executed. If you "
           "trust its "
           "maker, load it in Python and save only the model's state_dict()",
           printable(module), printable(name));
    }
    push_node({.kind = NodeKind::kGlobal, .global = global});
  }

  ByteView bytes_;
  std::size_t at_ = 0;
  std::size_t opcode_at_ = 0;
  PickleBuilder builder_;
  std::vector<NodeId> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint32_t, NodeId> memo_;
};

}  // namespace

Pickle unpickle(ByteView bytes) {
  return Machine(bytes).run();
}

}  // namespace sealite::checkpoint
