#include "model_file/import_graph.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "base/error.h"
#include "graph/builder.h"
#include "model_file/import_op.h"
#include "model_file/model_file.h"

namespace sealite::model_file {
namespace {

using graph::ValueId;

// Far above any activation of these models: a stranger's shapes must not ask for all memory.
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 28U;

// A constant in the mapped file.
class StoredTensor : public graph::Source {
 public:
  StoredTensor(std::shared_ptr<const ModelFile> owner, DType type, Shape shape, ByteView bytes)
      : Source(type, std::move(shape)), owner_(std::move(owner)), bytes_(bytes) {}

  void read(graph::Rows rows, MutableByteView out) const override {
    std::ranges::copy(slice(rows), out.begin());
  }
  ByteView view(graph::Rows rows) const override { return slice(rows); }
  void release(graph::Rows rows) const override { owner_->mapped()->release(slice(rows)); }

 private:
  ByteView slice(graph::Rows rows) const {
    return bytes_.subspan(static_cast<std::size_t>(rows.begin) * bytes_per_row(),
                          static_cast<std::size_t>(rows.end - rows.begin) * bytes_per_row());
  }

  std::shared_ptr<const ModelFile> owner_;
  ByteView bytes_;
};

class Importer {
 public:
  explicit Importer(std::shared_ptr<const ModelFile> file) : file_(std::move(file)) {}

  graph::Graph import(std::string_view signature) {
    const tfl::SignatureDef& definition = find_signature(signature);
    subgraph_ = file_->model().subgraphs()->Get(definition.subgraph_index());
    values_.resize(count_of(subgraph_->tensors()));
    for (const tfl::TensorMap* input : *definition.inputs()) {
      const tfl::Tensor& tensor = tensor_at(static_cast<std::int32_t>(input->tensor_index()));
      if (tensor.type() != tfl::TensorType::FLOAT32)
        fail(ErrorCode::kUnsupported, "input '{}' is not float32", text_of(input->name()));
      values_[input->tensor_index()] = builder_.input(text_of(input->name()), shape_of(tensor));
    }
    if (subgraph_->operators() != nullptr) {
      for (const tfl::Operator* op : *subgraph_->operators()) add_operator(*op);
    }
    for (const tfl::TensorMap* output : *definition.outputs())
      graph_.outputs.push_back(value_of(static_cast<std::int32_t>(output->tensor_index())));
    return std::move(graph_);
  }

 private:
  const tfl::SignatureDef& find_signature(std::string_view key) const {
    if (file_->model().signature_defs() != nullptr) {
      for (const tfl::SignatureDef* definition : *file_->model().signature_defs()) {
        if (text_of(definition->signature_key()) != key) continue;
        if (count_of(definition->inputs()) > 0 && count_of(definition->outputs()) > 0) return *definition;
      }
    }
    fail(ErrorCode::kUnsupported, "no signature '{}' with inputs and outputs", key);
  }

  const tfl::Tensor& tensor_at(std::int32_t index) const {
    return *subgraph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }

  // The sizes that the file was made for, also where they are free.
  Shape shape_of(const tfl::Tensor& tensor) const {
    Shape shape;
    if (tensor.shape() != nullptr) shape.assign(tensor.shape()->begin(), tensor.shape()->end());
    const auto count = element_count(shape);
    if (!count || *count == 0 || *count > kMaxElements || shape.size() > 4)
      fail(ErrorCode::kUnsupported, "'{}' of shape {}", text_of(tensor.name()), to_string(shape));
    return shape;
  }

  void add_operator(const tfl::Operator& op) {
    const tfl::OperatorCode& code = *file_->model().operator_codes()->Get(op.opcode_index());
    if (count_of(op.outputs()) != 1) fail(ErrorCode::kUnsupported, "an operator with several outputs");
    const std::int32_t output = op.outputs()->Get(0);
    const std::string name = text_of(tensor_at(output).name());
    add_context(fmt::format("operator '{}'", name), [&] {
      std::size_t operands = 0;
      const ImportedOp imported = import_op(builtin_of(code), op, [&](std::size_t index) {
        operands = std::max(operands, index + 1);
        return read_list(op, index);
      });
      operands = std::max(operands, imported.inputs);
      const bool no_bias = imported.inputs == 3 && count_of(op.inputs()) == 2;
      if (count_of(op.inputs()) != operands && !no_bias)
        fail(ErrorCode::kUnsupported, "with {} inputs, expected {}", count_of(op.inputs()), operands);
      std::vector<ValueId> inputs;
      for (std::size_t i = 0; i < imported.inputs; ++i) inputs.push_back(input_of(op, i));
      const ValueId id = add_node(name, imported.op, std::move(inputs));
      if (const Shape stored = shape_of(tensor_at(output)); stored != graph_.shape(id))
        file_->malformed(fmt::format("its shape is {}, but it computes {}", to_string(stored),
                                     to_string(graph_.shape(id))));
      values_[static_cast<std::size_t>(output)] = id;
    });
  }

  // Shape inference blames the program (kInternal): here it is the file.
  ValueId add_node(const std::string& name, const graph::Op& op, std::vector<ValueId> inputs) {
    try {
      const ValueId id = builder_.add(name, op, std::move(inputs));
      if (element_count(graph_.shape(id)).value_or(kMaxElements + 1) > kMaxElements)
        fail(ErrorCode::kUnsupported, "an output of shape {}", to_string(graph_.shape(id)));
      return id;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInternal) throw;
      file_->malformed(error.what());
    }
  }

  ValueId input_of(const tfl::Operator& op, std::size_t index) {
    if (index < count_of(op.inputs())) {
      const std::int32_t tensor = op.inputs()->Get(static_cast<flatbuffers::uoffset_t>(index));
      if (tensor >= 0) return value_of(tensor);
    }
    if (index != 2) fail(ErrorCode::kUnsupported, "without input {}", index);
    // A convolution or product without a bias.
    const std::int32_t output = op.outputs()->Get(0);
    const Shape shape = shape_of(tensor_at(output));
    return builder_.constant("zero", graph::filled({shape.empty() ? 1 : shape.back()}, 0.0F));
  }

  ValueId value_of(std::int32_t index) {
    std::optional<ValueId>& value = values_[static_cast<std::size_t>(index)];
    if (!value) value = add_constant(tensor_at(index));
    return *value;
  }

  ValueId add_constant(const tfl::Tensor& tensor) {
    graph::Value value;
    value.name = text_of(tensor.name());
    value.shape = shape_of(tensor);
    const auto type = to_dtype(tensor.type());
    const ByteView bytes = file_->buffers()[tensor.buffer()];
    const auto count = element_count(value.shape);
    if (!type || bytes.empty() || dtype_bytes(*type, count.value_or(0)) != bytes.size())
      fail(ErrorCode::kUnsupported, "constant '{}' has no values of a known type", value.name);
    value.type = *type;
    value.source = std::make_shared<StoredTensor>(file_, *type, value.shape, bytes);
    if (value.source->byte_size() != bytes.size())
      fail(ErrorCode::kUnsupported, "constant '{}' has rows that end inside a byte", value.name);
    const bool integers = *type == DType::kInt8 || *type == DType::kInt4;
    if (integers) value.quantization = read_scales(tensor, value);
    if (!integers && *type != DType::kFloat32 && *type != DType::kFloat16)
      fail(ErrorCode::kUnsupported, "constant '{}' holds {}", value.name, dtype_name(*type));
    return graph_.add_value(std::move(value));
  }

  static std::shared_ptr<const graph::Quantization> read_scales(const tfl::Tensor& tensor,
                                                                const graph::Value& value) {
    const tfl::QuantizationParameters* parameters = tensor.quantization();
    const auto rows = static_cast<std::size_t>(value.source->row_count());
    const std::size_t count = parameters == nullptr ? 0 : count_of(parameters->scale());
    const bool zero_points_ok =
        parameters == nullptr || parameters->zero_point() == nullptr ||
        std::ranges::all_of(*parameters->zero_point(), [](std::int64_t zero) { return zero == 0; });
    if ((count != 1 && count != rows) || !zero_points_ok || parameters->quantized_dimension() != 0 ||
        parameters->details_type() != tfl::QuantizationDetails::NONE) {
      fail(ErrorCode::kUnsupported, "constant '{}' is quantised in another way than one scale for each row",
           value.name);
    }
    graph::Quantization quantization;
    quantization.scales.assign(parameters->scale()->begin(), parameters->scale()->end());
    if (count == 1) quantization.scales.resize(rows, quantization.scales[0]);
    return std::make_shared<const graph::Quantization>(std::move(quantization));
  }

  std::vector<std::int32_t> read_list(const tfl::Operator& op, std::size_t index) const {
    const std::int32_t tensor =
        index < count_of(op.inputs()) ? op.inputs()->Get(static_cast<flatbuffers::uoffset_t>(index)) : -1;
    if (tensor < 0) fail(ErrorCode::kUnsupported, "without input {}", index);
    const tfl::Tensor& list = tensor_at(tensor);
    const ByteView bytes = file_->buffers()[list.buffer()];
    constexpr std::size_t kMaxList = 64;
    const Shape shape = shape_of(list);  // [N], or [N, 2] of paddings
    const bool is_list = shape.size() == 1 || (shape.size() == 2 && shape[1] == 2);
    if (list.type() != tfl::TensorType::INT32 || bytes.empty() || bytes.size() > kMaxList || !is_list)
      fail(ErrorCode::kUnsupported, "with an input {} that is no constant list", index);
    std::vector<std::int32_t> values(bytes.size() / sizeof(std::int32_t));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(std::int32_t));
    return values;
  }

  std::shared_ptr<const ModelFile> file_;
  const tfl::SubGraph* subgraph_ = nullptr;
  graph::Graph graph_;
  graph::Builder builder_{graph_};
  std::vector<std::optional<ValueId>> values_;
};

}  // namespace

graph::Graph import_graph(const std::filesystem::path& path, std::string_view signature) {
  auto file = open_model(path);
  read_model(*file);  // for its checks of every index
  return import_graph(std::move(file), signature);
}

graph::Graph import_graph(std::shared_ptr<const ModelFile> file, std::string_view signature) {
  return Importer(std::move(file)).import(signature);
}

}  // namespace sealite::model_file
