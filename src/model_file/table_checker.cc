#include "model_file/table_checker.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <set>
#include <string>

#include "base/error.h"
#include "model_file/emit_op.h"

namespace sealite::model_file {
namespace {

// XNNPACK reads up to 16 bytes past a weight: they must lie in the file.
constexpr std::size_t kReadBeyond = 16;
// Where a weight lies outside the tables; `write` aligns to 64.
constexpr std::uint64_t kLeastAlignment = 16;
constexpr std::uint32_t kSchemaVersion = 3;

template <typename... Args>
[[noreturn]] void malformed(const ModelFile& file, fmt::format_string<Args...> format, Args&&... args) {
  file.malformed(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void unsupported(const ModelFile& file, fmt::format_string<Args...> format, Args&&... args) {
  fail(ErrorCode::kUnsupported, "'{}' is no model that sealite converted: {}", file.path().string(),
       fmt::format(format, std::forward<Args>(args)...));
}

// The verifier follows the fields of our schema only, LiteRT all of its own: external weights, which it opens
// by name, variants, sparsity, custom options, debug information.
bool has_fields(const flatbuffers::Table& table, int fields, std::initializer_list<int> unused = {}) {
  const auto place = [](int field) { return static_cast<flatbuffers::voffset_t>(4 + 2 * field); };
  const int size = flatbuffers::ReadScalar<flatbuffers::voffset_t>(table.GetVTable());
  bool known =
      std::ranges::all_of(unused, [&](int field) { return table.GetOptionalFieldOffset(place(field)) == 0; });
  for (int field = fields; 4 + 2 * field < size; ++field)
    known = known && table.GetOptionalFieldOffset(place(field)) == 0;
  return known;
}

void check_fields(const ModelFile& file, const flatbuffers::Table& table, int fields, std::string_view what,
                  std::initializer_list<int> unused = {}) {
  if (!has_fields(table, fields, unused))
    unsupported(file, "{} has fields that sealite does not write", what);
}

template <typename T>
const flatbuffers::Table& as_table(const T& table) {
  return reinterpret_cast<const flatbuffers::Table&>(table);
}

// What LiteRT takes for the end of a text, it must be.
void check_text(const ModelFile& file, const flatbuffers::String* text, std::string_view what) {
  if (text == nullptr) malformed(file, "{} without a name", what);
  if (std::strlen(text->c_str()) != text->size()) malformed(file, "{} with a zero byte in its name", what);
}

class TableChecker {
 public:
  TableChecker(const ModelFile& file, std::string_view signature) : file_(file), key_(signature) {}

  void check() {
    const tfl::Model& model = file_.model();
    check_fields(file_, as_table(model), 8, "the model", {5});
    if (model.version() != kSchemaVersion)
      unsupported(file_, "schema version {}, expected {}", model.version(), kSchemaVersion);
    if (count_of(model.subgraphs()) != 1 || count_of(model.signature_defs()) != 1)
      malformed(file_, "{} subgraphs and {} signatures, expected one of each", count_of(model.subgraphs()),
                count_of(model.signature_defs()));
    subgraph_ = model.subgraphs()->Get(0);
    check_subgraph();
    use_.resize(count_of(subgraph_->tensors()));
    owners_.resize(count_of(model.buffers()));
    check_metadata();
    check_signature(*model.signature_defs()->Get(0));
    check_operator_codes();
    if (subgraph_->operators() != nullptr) {
      for (const tfl::Operator* op : *subgraph_->operators()) check_operator(*op);
    }
    for (std::size_t i = 0; i < use_.size(); ++i) check_tensor(static_cast<std::int32_t>(i));
    check_buffers();
  }

 private:
  struct Use {
    bool made = false;  // by an operator, or the caller
    bool read = false;
    bool in_signature = false;
  };

  // LiteRT runs a subgraph called VALIDATION:… in another way; "main" is the ecosystem's own name.
  void check_subgraph() const {
    check_fields(file_, as_table(*subgraph_), 5, "the subgraph");
    const std::string name = text_of(subgraph_->name());
    if (!name.empty() && name != key_ && name != "main")
      unsupported(file_, "its subgraph has another name than '{}'", key_);
  }

  // LiteRT acts on some names: "model_control_dependencies" is an index structure of any size, "LiteRtStamp"
  // says what made the file. Ours it only copies, and the ecosystem's tools add the lowest runtime's version.
  void check_metadata() {
    if (file_.model().metadata() == nullptr) return;
    constexpr std::size_t kLongestVersion = 32;
    std::set<std::string> names;
    for (const tfl::Metadata* entry : *file_.model().metadata()) {
      check_fields(file_, as_table(*entry), 2, "metadata");
      check_text(file_, entry->name(), "metadata");
      const std::string name = text_of(entry->name());
      const bool version = name == "min_runtime_version";
      if (name != "sealite" && !version) unsupported(file_, "its metadata has an entry of another name");
      if (!names.insert(name).second) malformed(file_, "two metadata entries '{}'", name);
      if (version && file_.buffers()[entry->buffer()].size() > kLongestVersion)
        malformed(file_, "metadata '{}' has more than {} bytes", name, kLongestVersion);
      own_buffer(entry->buffer());
    }
  }

  void check_operator_codes() {
    used_codes_.resize(count_of(file_.model().operator_codes()));
    for (flatbuffers::uoffset_t i = 0; i < used_codes_.size(); ++i)
      check_fields(file_, as_table(*file_.model().operator_codes()->Get(i)), 4, "an operator code", {1});
    if (subgraph_->operators() != nullptr) {
      for (const tfl::Operator* op : *subgraph_->operators()) used_codes_[op->opcode_index()] = true;
    }
    // LiteRT looks each of them up, and loads libraries for some.
    if (std::ranges::find(used_codes_, false) != used_codes_.end())
      unsupported(file_, "it has an operator code that no operator uses");
  }

  void check_signature(const tfl::SignatureDef& signature) {
    check_fields(file_, as_table(signature), 5, "the signature", {3});
    if (text_of(signature.signature_key()) != key_) unsupported(file_, "no signature '{}'", key_);
    check_ends(signature.inputs(), subgraph_->inputs(), "inputs");
    for (const std::int32_t input : *subgraph_->inputs()) make(input);
    check_ends(signature.outputs(), subgraph_->outputs(), "outputs");
    for (const std::int32_t output : *subgraph_->outputs()) use_at(output).read = true;
  }

  void check_ends(const flatbuffers::Vector<flatbuffers::Offset<tfl::TensorMap>>* maps,
                  const flatbuffers::Vector<std::int32_t>* indices, std::string_view what) {
    if (count_of(maps) == 0 || count_of(maps) != count_of(indices))
      malformed(file_, "signature and subgraph differ in their {}", what);
    std::set<std::string> names;
    for (flatbuffers::uoffset_t i = 0; i < maps->size(); ++i) {
      const tfl::TensorMap& map = *maps->Get(i);
      check_fields(file_, as_table(map), 2, "the signature");
      const std::int32_t index = indices->Get(i);
      if (index < 0 || map.tensor_index() != static_cast<std::uint32_t>(index))
        malformed(file_, "signature and subgraph differ in their {}", what);
      check_text(file_, map.name(), what);
      if (!names.insert(text_of(map.name())).second) malformed(file_, "two {} of one name", what);
      use_at(index).in_signature = true;
    }
    if (names.contains("")) malformed(file_, "{} without a name", what);
  }

  void check_operator(const tfl::Operator& op) {
    check_fields(file_, as_table(op), 5, "an operator");
    if (op.inputs() != nullptr) {
      for (const std::int32_t input : *op.inputs()) {
        if (input >= 0) use_at(input).read = true;
      }
    }
    for (flatbuffers::uoffset_t i = 0; i < count_of(op.outputs()); ++i) make(op.outputs()->Get(i));
  }

  void make(std::int32_t index) {
    if (index < 0) malformed(file_, "an operator without an output");
    const tfl::Tensor& tensor = tensor_at(index);
    const bool constant = !file_.buffers()[tensor.buffer()].empty();
    if (std::exchange(use_at(index).made, true) || constant)
      malformed(file_, "'{}' is made twice", text_of(tensor.name()));
    if (tensor.type() != tfl::TensorType::FLOAT32 || tensor.quantization() != nullptr)
      unsupported(file_, "activation '{}' is not plain float32", text_of(tensor.name()));
  }

  void check_tensor(std::int32_t index) {
    const tfl::Tensor& tensor = tensor_at(index);
    const Use& use = use_at(index);
    check_fields(file_, as_table(tensor), 9, "a tensor", {6});
    check_text(file_, tensor.name(), "a tensor");
    const std::string name = text_of(tensor.name());
    if (!use.read) malformed(file_, "'{}' is read by nothing", name);
    if (tensor.is_variable()) unsupported(file_, "'{}' is a variable", name);
    if (tensor.buffer() != 0) own_buffer(tensor.buffer());
    check_free_sizes(tensor, use.in_signature);
    if (tensor.quantization() == nullptr) return;
    const tfl::QuantizationParameters& quantization = *tensor.quantization();
    check_fields(file_, as_table(quantization), 7, "a quantization", {4, 5});
    const bool integers = tensor.type() == tfl::TensorType::INT8 || tensor.type() == tfl::TensorType::INT4;
    if (!integers || count_of(quantization.min()) + count_of(quantization.max()) != 0 ||
        count_of(quantization.zero_point()) != count_of(quantization.scale())) {
      unsupported(file_, "'{}' is quantised in another way than one scale for each row", name);
    }
  }

  void check_free_sizes(const tfl::Tensor& tensor, bool in_signature) const {
    if (tensor.shape_signature() == nullptr) return;
    bool agree = in_signature && count_of(tensor.shape()) == tensor.shape_signature()->size();
    for (flatbuffers::uoffset_t i = 0; agree && i < tensor.shape_signature()->size(); ++i) {
      const std::int32_t size = tensor.shape_signature()->Get(i);
      agree = size == -1 || size == tensor.shape()->Get(i);
    }
    if (!agree) malformed(file_, "'{}' has two shapes that differ", text_of(tensor.name()));
  }

  // Each buffer is one tensor's or one metadata entry's.
  void own_buffer(std::uint32_t index) {
    if (index == 0 || owners_[index]++ > 0) malformed(file_, "buffer {} is used twice", index);
  }

  // LiteRT's two readers differ: buffer 0 means "no data" to both, `data` goes before `offset` for one and
  // after it for the other, and an offset of 1 is one for one of them only.
  void check_buffers() const {
    std::uint64_t total = 0;
    const auto& buffers = *file_.model().buffers();
    for (flatbuffers::uoffset_t i = 0; i < buffers.size(); ++i) {
      const tfl::Buffer& buffer = *buffers.Get(i);
      check_fields(file_, as_table(buffer), 3, "a buffer");
      const bool outside = buffer.offset() != 0 || buffer.size() != 0;
      if (outside && (buffer.data() != nullptr || buffer.offset() < kLeastAlignment ||
                      buffer.offset() % kLeastAlignment != 0 || buffer.size() == 0))
        malformed(file_, "buffer {} lies at {} + {}, in another way than sealite places weights", i,
                  buffer.offset(), buffer.size());
      const ByteView bytes = file_.buffers()[i];
      if (i == 0 ? !bytes.empty() : owners_[i] == 0) malformed(file_, "buffer {} is used by nothing", i);
      total += bytes.size();
      if (bytes.empty()) continue;
      const auto end = static_cast<std::uint64_t>(bytes.data() + bytes.size() - file_.bytes().data());
      if (end + kReadBeyond > file_.size())
        malformed(file_, "a weight ends {} bytes before the end, expected {}: it was cut off",
                  file_.size() - end, kReadBeyond);
    }
    if (total > file_.size())
      malformed(file_, "its weights overlap: {} bytes in a file of {}", total, file_.size());
  }

  const tfl::Tensor& tensor_at(std::int32_t index) const {
    return *subgraph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }
  Use& use_at(std::int32_t index) { return use_[static_cast<std::size_t>(index)]; }

  const ModelFile& file_;
  std::string_view key_;
  const tfl::SubGraph* subgraph_ = nullptr;
  std::vector<Use> use_;     // by tensor
  std::vector<int> owners_;  // by buffer: how many tensors and metadata entries it has
  std::vector<bool> used_codes_;
};

// How many fields the options have, as in schema.fbs.
int option_fields(tfl::BuiltinOptions type) {
  switch (type) {
    case tfl::BuiltinOptions::Conv2DOptions:
    case tfl::BuiltinOptions::DepthwiseConv2DOptions:
      return 7;
    case tfl::BuiltinOptions::FullyConnectedOptions:
      return 5;
    case tfl::BuiltinOptions::ResizeBilinearOptions:
      return 4;
    case tfl::BuiltinOptions::BatchMatMulOptions:
      return 3;
    case tfl::BuiltinOptions::AddOptions:
    case tfl::BuiltinOptions::SubOptions:
    case tfl::BuiltinOptions::ConcatenationOptions:
    case tfl::BuiltinOptions::ResizeNearestNeighborOptions:
      return 2;
    case tfl::BuiltinOptions::PadOptions:
    case tfl::BuiltinOptions::TransposeOptions:
    case tfl::BuiltinOptions::DequantizeOptions:
    case tfl::BuiltinOptions::SliceOptions:
    case tfl::BuiltinOptions::SquaredDifferenceOptions:
      return 0;
    default:
      return 1;
  }
}

// The bytes of an operator's options; they are equal if all options are.
std::string packed(const tfl::BuiltinOptionsUnion& options) {
  if (options.type == tfl::BuiltinOptions::NONE) return {};
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(flatbuffers::Offset<flatbuffers::Table>(options.Pack(builder).o));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

// All of them are there, and the lists among them are laid out as `write` does.
void check_inputs(const ModelFile& file, const tfl::Operator& op, const graph::Node& node,
                  const std::vector<IndexInput>& lists) {
  const std::size_t own = node.inputs.size();
  bool same = count_of(op.inputs()) == own + lists.size() && std::ranges::count(*op.inputs(), -1) == 0;
  for (std::size_t i = 0; same && i < lists.size(); ++i) {
    const std::int32_t index = op.inputs()->Get(static_cast<flatbuffers::uoffset_t>(own + i));
    const tfl::Tensor& tensor =
        *file.model().subgraphs()->Get(0)->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
    const ByteView bytes = file.buffers()[tensor.buffer()];
    const std::vector<std::int32_t>& values = lists[i].values;
    same = tensor.shape() != nullptr && std::ranges::equal(*tensor.shape(), lists[i].shape) &&
           bytes.size() == values.size() * sizeof(std::int32_t) &&
           std::memcmp(bytes.data(), values.data(), bytes.size()) == 0;
  }
  if (!same)
    fail(ErrorCode::kUnsupported, "operator '{}': inputs in another form than sealite writes", node.name);
}

// `rank`: of the first input.
bool same_options(const tfl::Operator& op, const tfl::BuiltinOptionsUnion& wanted, std::size_t rank) {
  const auto* options = static_cast<const flatbuffers::Table*>(op.builtin_options());
  if (op.builtin_options_type() != wanted.type) return false;
  if (wanted.type == tfl::BuiltinOptions::NONE) return options == nullptr;
  if (options == nullptr) return false;
  if (!has_fields(*options, option_fields(wanted.type))) return false;
  // Of all options only these have a length of their own, and are copied.
  constexpr std::size_t kMaxRank = 4;
  if (const auto* reshape = op.builtin_options_as_ReshapeOptions();
      reshape != nullptr && count_of(reshape->new_shape()) > kMaxRank)
    return false;
  tfl::BuiltinOptionsUnion found;
  found.type = wanted.type;
  found.value = tfl::BuiltinOptionsUnion::UnPack(op.builtin_options(), wanted.type, nullptr);
  // For two dimensions both say the same.
  if (auto* dense = found.AsFullyConnectedOptions(); dense != nullptr && rank == 2)
    dense->keep_num_dims = false;
  return packed(found) == packed(wanted);
}

}  // namespace

void check_tables(const ModelFile& file, std::string_view signature) {
  TableChecker(file, signature).check();
}

void check_operators(const ModelFile& file, const graph::Graph& graph) {
  const auto& operators = *file.model().subgraphs()->Get(0)->operators();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const graph::Node& node = graph.nodes[i];
    const tfl::Operator& op = *operators.Get(static_cast<flatbuffers::uoffset_t>(i));
    const EmittedOp wanted = emit_op(graph, node);
    const tfl::OperatorCode& code = *file.model().operator_codes()->Get(op.opcode_index());
    if (code.version() != wanted.version)
      fail(ErrorCode::kUnsupported, "operator '{}': version {}, expected {}", node.name, code.version(),
           wanted.version);
    check_inputs(file, op, node, wanted.index_inputs);
    if (!same_options(op, wanted.options, graph.shape(node.inputs[0]).size()))
      fail(ErrorCode::kUnsupported, "operator '{}': options that sealite does not write", node.name);
  }
}

}  // namespace sealite::model_file
