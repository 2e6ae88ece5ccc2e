#include "tflite/runnable_graph.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <set>
#include <string>
#include <variant>

#include "base/error.h"
#include "tflite/import_graph.h"
#include "tflite/model_file.h"

namespace sealite::tflite {
namespace {

// XNNPACK reads up to 16 bytes past a weight: they must lie in the file.
constexpr std::size_t kReadBeyond = 16;

/// The tables, apart from what the operators mean.
class TableChecker {
 public:
  TableChecker(const ModelFile& file, std::string_view signature) : file_(file), key_(signature) {}

  void check() {
    const tfl::Model& model = file_.model();
    check_fields(model, 8, "the model");
    if (count_of(model.subgraphs()) != 1 || count_of(model.signature_defs()) != 1)
      malformed("{} subgraphs and {} signatures, expected one of each", count_of(model.subgraphs()),
                count_of(model.signature_defs()));
    check_buffers();
    if (model.operator_codes() != nullptr) {
      for (const tfl::OperatorCode* code : *model.operator_codes())
        check_fields(*code, 4, "an operator code");
    }
    if (model.metadata() != nullptr) {
      for (const tfl::Metadata* entry : *model.metadata()) {
        check_fields(*entry, 2, "metadata");
        if (entry->name() == nullptr) malformed("metadata without a name");
      }
    }
    subgraph_ = model.subgraphs()->Get(0);
    check_fields(*subgraph_, 5, "the subgraph");
    use_.resize(count_of(subgraph_->tensors()));
    check_signature(*model.signature_defs()->Get(0));
    if (subgraph_->operators() != nullptr) {
      for (const tfl::Operator* op : *subgraph_->operators()) check_operator(*op);
    }
    for (std::size_t i = 0; i < use_.size(); ++i) check_tensor(static_cast<std::int32_t>(i));
  }

 private:
  struct Use {
    bool made = false;  // by an operator, or the caller
    bool read = false;
    bool in_signature = false;
  };

  template <typename... Args>
  [[noreturn]] void malformed(fmt::format_string<Args...> format, Args&&... args) const {
    file_.malformed(fmt::format(format, std::forward<Args>(args)...));
  }

  // The verifier follows the fields of our schema only, LiteRT all of its own.
  template <typename T>
  void check_fields(const T& table, int fields, std::string_view what,
                    std::initializer_list<int> unused = {}) const {
    const auto& raw = reinterpret_cast<const flatbuffers::Table&>(table);
    const auto place = [](int field) { return static_cast<flatbuffers::voffset_t>(4 + 2 * field); };
    const int size = flatbuffers::ReadScalar<flatbuffers::voffset_t>(raw.GetVTable());
    bool known =
        std::ranges::all_of(unused, [&](int field) { return raw.GetOptionalFieldOffset(place(field)) == 0; });
    for (int field = fields; 4 + 2 * field < size; ++field)
      known = known && raw.GetOptionalFieldOffset(place(field)) == 0;
    if (!known) fail_unsupported("{} has fields that sealite does not write", what);
  }

  template <typename... Args>
  [[noreturn]] void fail_unsupported(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::kUnsupported, "'{}' is no model that sealite converted: {}", file_.path().string(),
         fmt::format(format, std::forward<Args>(args)...));
  }

  void check_buffers() const {
    std::uint64_t total = 0;
    for (const tfl::Buffer* buffer : *file_.model().buffers()) check_fields(*buffer, 3, "a buffer");
    for (const ByteView bytes : file_.buffers()) {
      total += bytes.size();
      if (bytes.empty()) continue;
      const auto end = static_cast<std::uint64_t>(bytes.data() + bytes.size() - file_.bytes().data());
      if (end + kReadBeyond > file_.size())
        malformed("a weight ends {} bytes before the end, expected {}: it was cut off", file_.size() - end,
                  kReadBeyond);
    }
    if (total > file_.size()) malformed("its weights overlap: {} bytes in a file of {}", total, file_.size());
  }

  void check_signature(const tfl::SignatureDef& signature) {
    check_fields(signature, 5, "the signature", {3});
    if (text_of(signature.signature_key()) != key_) fail_unsupported("no signature '{}'", key_);
    check_ends(signature.inputs(), subgraph_->inputs(), "inputs");
    for (const std::int32_t input : *subgraph_->inputs()) make(input);
    check_ends(signature.outputs(), subgraph_->outputs(), "outputs");
    for (const std::int32_t output : *subgraph_->outputs()) use_at(output).read = true;
  }

  void check_ends(const flatbuffers::Vector<flatbuffers::Offset<tfl::TensorMap>>* maps,
                  const flatbuffers::Vector<std::int32_t>* indices, std::string_view what) {
    if (count_of(maps) == 0 || count_of(maps) != count_of(indices))
      malformed("signature and subgraph differ in their {}", what);
    std::set<std::string> names;
    for (flatbuffers::uoffset_t i = 0; i < maps->size(); ++i) {
      check_fields(*maps->Get(i), 2, "the signature");
      const std::int32_t index = indices->Get(i);
      if (index < 0 || maps->Get(i)->tensor_index() != static_cast<std::uint32_t>(index))
        malformed("signature and subgraph differ in their {}", what);
      if (!names.insert(text_of(maps->Get(i)->name())).second) malformed("two {} of one name", what);
      use_at(index).in_signature = true;
    }
    if (names.contains("")) malformed("{} without a name", what);
  }

  void check_operator(const tfl::Operator& op) {
    check_fields(op, 5, "an operator");
    const std::string_view options = tfl::EnumNameBuiltinOptions(op.builtin_options_type());
    if (options.empty()) fail_unsupported("an operator's options that sealite does not write");
    if (op.inputs() != nullptr) {
      for (const std::int32_t input : *op.inputs()) {
        if (input >= 0) use_at(input).read = true;
      }
    }
    for (flatbuffers::uoffset_t i = 0; i < count_of(op.outputs()); ++i) make(op.outputs()->Get(i));
  }

  void make(std::int32_t index) {
    if (index < 0) malformed("an operator without an output");
    const tfl::Tensor& tensor = tensor_at(index);
    const bool constant = !file_.buffers()[tensor.buffer()].empty();
    if (std::exchange(use_at(index).made, true) || constant)
      malformed("'{}' is made twice", text_of(tensor.name()));
    if (tensor.type() != tfl::TensorType::FLOAT32 || tensor.quantization() != nullptr)
      fail_unsupported("activation '{}' is not plain float32", text_of(tensor.name()));
  }

  void check_tensor(std::int32_t index) {
    const tfl::Tensor& tensor = tensor_at(index);
    const Use& use = use_at(index);
    const std::string name = text_of(tensor.name());
    check_fields(tensor, 9, "a tensor", {6});
    if (tensor.name() == nullptr) malformed("a tensor without a name");
    if (!use.read) malformed("'{}' is read by nothing", name);
    if (tensor.is_variable()) fail_unsupported("'{}' is a variable", name);
    check_free_sizes(tensor, use.in_signature);
    if (tensor.quantization() == nullptr) return;
    const tfl::QuantizationParameters& quantization = *tensor.quantization();
    check_fields(quantization, 7, "a quantization", {4, 5});
    const bool integers = tensor.type() == tfl::TensorType::INT8 || tensor.type() == tfl::TensorType::INT4;
    if (!integers || count_of(quantization.min()) + count_of(quantization.max()) != 0 ||
        count_of(quantization.zero_point()) != count_of(quantization.scale())) {
      fail_unsupported("'{}' is quantised in another way than one scale for each row", name);
    }
  }

  void check_free_sizes(const tfl::Tensor& tensor, bool in_signature) const {
    if (tensor.shape_signature() == nullptr) return;
    bool agree = in_signature && count_of(tensor.shape()) == tensor.shape_signature()->size();
    for (flatbuffers::uoffset_t i = 0; agree && i < tensor.shape_signature()->size(); ++i) {
      const std::int32_t size = tensor.shape_signature()->Get(i);
      agree = size == -1 || size == tensor.shape()->Get(i);
    }
    if (!agree) malformed("'{}' has two shapes that differ", text_of(tensor.name()));
  }

  const tfl::Tensor& tensor_at(std::int32_t index) const {
    return *subgraph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }
  Use& use_at(std::int32_t index) { return use_[static_cast<std::size_t>(index)]; }

  const ModelFile& file_;
  std::string_view key_;
  const tfl::SubGraph* subgraph_ = nullptr;
  std::vector<Use> use_;  // by tensor
};

/// What the operators take: integer filters, halves and floats each where LiteRT has a kernel for them.
void check_operands(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes) {
    const bool dense = std::holds_alternative<graph::Conv2D>(node.op) ||
                       std::holds_alternative<graph::FullyConnected>(node.op);
    const bool widens = std::holds_alternative<graph::Dequantize>(node.op);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const DType type = graph.value(node.inputs[i]).type;
      const bool integers = type == DType::kInt8 || type == DType::kInt4;
      const bool fits =
          widens ? type == DType::kFloat16 : type == DType::kFloat32 || (integers && dense && i == 1);
      if (!fits) {
        fail(ErrorCode::kUnsupported, "operator '{}': input {} is {}", node.name, i, dtype_name(type));
      }
    }
  }
  for (const graph::ValueId id : graph.outputs) {
    if (graph.producer(id) == nullptr)
      fail(ErrorCode::kUnsupported, "output '{}' is not computed", graph.value(id).name);
  }
}

}  // namespace

graph::Graph read_runnable_graph(const std::filesystem::path& path, std::string_view signature) {
  auto file = std::make_shared<const ModelFile>(path);
  read_model(*file);  // for its checks of every index
  return read_runnable_graph(std::move(file), signature);
}

graph::Graph read_runnable_graph(std::shared_ptr<const ModelFile> file, std::string_view signature) {
  const std::string path = file->path().string();
  TableChecker(*file, signature).check();
  try {
    graph::Graph graph = import_graph(std::move(file), signature);
    check_operands(graph);
    return graph;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    fail(ErrorCode::kUnsupported, "'{}' is no model that sealite converted: {}", path, error.what());
  }
}

}  // namespace sealite::tflite
