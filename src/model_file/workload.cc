#include "model_file/workload.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "model_file/model_file.h"

namespace sealite::model_file {
namespace {

/// Operators outside src/tflite/schema.fbs that multiply: those of the file format's numbers that a count of
/// convolutions and products would miss silently.
struct Uncounted {
  std::int32_t code;
  const char* name;
};
constexpr Uncounted kUncounted[] = {
    {16, "LSTM"},
    {24, "RNN"},
    {27, "SVDF"},
    {32, "CUSTOM"},
    {35, "UNIDIRECTIONAL_SEQUENCE_RNN"},
    {44, "UNIDIRECTIONAL_SEQUENCE_LSTM"},
    {52, "BIDIRECTIONAL_SEQUENCE_LSTM"},
    {67, "TRANSPOSE_CONV"},
    {118, "IF"},
    {119, "WHILE"},
    {132, "CONV_3D"},
    {133, "CONV_3D_TRANSPOSE"},
    {206, "STABLEHLO_COMPOSITE"},
};

class WorkReader {
 public:
  explicit WorkReader(const ModelFile& file) : file_(file) {}

  Workload read(std::string_view signature) {
    Workload work;
    find_subgraph(signature, work.inputs);
    if (subgraph_->operators() != nullptr) {
      for (const tfl::Operator* op : *subgraph_->operators()) work.operators.push_back(read_operator(*op));
    }
    return work;
  }

 private:
  void find_subgraph(std::string_view key, std::vector<ModelTensor>& inputs) {
    const tfl::Model& model = file_.model();
    if (key.empty()) {
      subgraph_ = model.subgraphs()->Get(0);
      for (std::size_t i = 0; i < count_of(subgraph_->inputs()); ++i) {
        const std::int32_t index = subgraph_->inputs()->Get(static_cast<flatbuffers::uoffset_t>(i));
        if (index >= 0) inputs.push_back(read_input(index, text_of(tensor_at(index).name())));
      }
      return;
    }
    for (std::size_t i = 0; i < count_of(model.signature_defs()); ++i) {
      const tfl::SignatureDef& found = *model.signature_defs()->Get(static_cast<flatbuffers::uoffset_t>(i));
      if (text_of(found.signature_key()) != key) continue;
      subgraph_ = model.subgraphs()->Get(found.subgraph_index());
      if (found.inputs() == nullptr) return;
      for (const tfl::TensorMap* map : *found.inputs())
        inputs.push_back(read_input(static_cast<std::int32_t>(map->tensor_index()), text_of(map->name())));
      return;
    }
    fail(ErrorCode::kUsage, "the model has no signature '{}'", key);
  }

  ModelTensor read_input(std::int32_t index, std::string name) const {
    ModelTensor input;
    input.name = std::move(name);
    input.type = to_dtype(tensor_at(index).type()).value_or(DType::kUInt8);
    input.shape = shape_of(index);
    return input;
  }

  OperatorWork read_operator(const tfl::Operator& op) const {
    const tfl::OperatorCode& code = *file_.model().operator_codes()->Get(op.opcode_index());
    const tfl::BuiltinOperator builtin = builtin_of(code);
    OperatorWork work;
    if (count_of(op.outputs()) > 0 && op.outputs()->Get(0) >= 0)
      work.name = text_of(tensor_at(op.outputs()->Get(0)).name());
    work.kind = tfl::EnumNameBuiltinOperator(builtin);
    const auto* uncounted =
        std::ranges::find(kUncounted, static_cast<std::int32_t>(builtin), &Uncounted::code);
    if (uncounted != std::end(kUncounted)) {
      work.kind = uncounted->name;
      work.uncounted = true;
      return work;
    }
    if (work.kind.empty()) work.kind = fmt::format("BUILTIN_{}", static_cast<std::int32_t>(builtin));
    work.is_product =
        builtin == tfl::BuiltinOperator::CONV_2D || builtin == tfl::BuiltinOperator::DEPTHWISE_CONV_2D ||
        builtin == tfl::BuiltinOperator::FULLY_CONNECTED || builtin == tfl::BuiltinOperator::BATCH_MATMUL;
    if (!work.is_product) return work;
    const std::optional<std::uint64_t> count = count_products(builtin, op);
    work.multiply_accumulates = count.value_or(0);
    work.uncounted = !count;
    if (const std::int32_t weight = input_of(op, 1); weight >= 0) {
      const tfl::TensorType type = tensor_at(weight).type();
      work.integer_weights = type == tfl::TensorType::INT8 || type == tfl::TensorType::UINT8 ||
                             type == tfl::TensorType::INT4 || type == tfl::TensorType::INT2;
    }
    return work;
  }

  /// Outputs times what is summed for each; nothing if the file does not say the sizes.
  std::optional<std::uint64_t> count_products(tfl::BuiltinOperator kind, const tfl::Operator& op) const {
    const std::int32_t x = input_of(op, 0);
    const std::int32_t filter = input_of(op, 1);
    if (x < 0 || filter < 0 || count_of(op.outputs()) == 0 || op.outputs()->Get(0) < 0) return std::nullopt;
    const Shape output = shape_of(op.outputs()->Get(0));
    const std::optional<std::uint64_t> outputs = element_count(output);
    if (!outputs || *outputs == 0 || output.empty()) return std::nullopt;
    std::optional<std::uint64_t> summed;
    if (kind == tfl::BuiltinOperator::BATCH_MATMUL) {
      const auto* options = op.builtin_options_as_BatchMatMulOptions();
      const Shape shape = shape_of(x);
      const std::size_t from_end = options != nullptr && options->adj_x() ? 2 : 1;
      if (shape.size() < from_end || shape[shape.size() - from_end] <= 0) return std::nullopt;
      summed = static_cast<std::uint64_t>(shape[shape.size() - from_end]);
    } else {
      // OHWI and [O, I] filters, and 1HWC ones: what belongs to one output channel.
      const Shape shape = shape_of(filter);
      const auto weights = element_count(shape);
      const bool depthwise = kind == tfl::BuiltinOperator::DEPTHWISE_CONV_2D;
      if (!weights || shape.empty()) return std::nullopt;
      const std::int64_t channels = depthwise ? shape.back() : shape.front();
      if (channels <= 0) return std::nullopt;
      summed = *weights / static_cast<std::uint64_t>(channels);
    }
    return checked_multiply(*outputs, *summed);
  }

  static std::int32_t input_of(const tfl::Operator& op, std::size_t index) {
    return index < count_of(op.inputs()) ? op.inputs()->Get(static_cast<flatbuffers::uoffset_t>(index)) : -1;
  }

  const tfl::Tensor& tensor_at(std::int32_t index) const {
    return *subgraph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }

  Shape shape_of(std::int32_t index) const {
    const auto* sizes = tensor_at(index).shape();
    return sizes == nullptr ? Shape() : Shape(sizes->begin(), sizes->end());
  }

  const ModelFile& file_;
  const tfl::SubGraph* subgraph_ = nullptr;
};

}  // namespace

Workload read_workload(const std::filesystem::path& path, std::string_view signature) {
  const auto file = open_model(path);
  read_model(*file);  // for its checks of every index
  return read_workload(*file, signature);
}

Workload read_workload(const ModelFile& file, std::string_view signature) {
  return WorkReader(file).read(signature);
}

}  // namespace sealite::model_file
