#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/image_shape.h"
#include "model_file/emit_op.h"
#include "tflite/layout.h"

namespace sealite::tflite {
namespace {

tfl::TensorType to_tensor_type(DType type) {
  switch (type) {
    case DType::kFloat32:
      return tfl::TensorType::FLOAT32;
    case DType::kFloat16:
      return tfl::TensorType::FLOAT16;
    case DType::kBFloat16:
      return tfl::TensorType::BFLOAT16;
    case DType::kInt64:
      return tfl::TensorType::INT64;
    case DType::kInt32:
      return tfl::TensorType::INT32;
    case DType::kInt8:
      return tfl::TensorType::INT8;
    case DType::kUInt8:
      return tfl::TensorType::UINT8;
    case DType::kBool:
      return tfl::TensorType::BOOL;
    case DType::kInt4:
      return tfl::TensorType::INT4;
    case DType::kFloat64:
    case DType::kInt16:
    case DType::kUInt16:
    case DType::kUInt32:
    case DType::kUInt64:
      break;
  }
  fail(ErrorCode::kInternal, "unknown element type");
}

class TableMaker {
 public:
  TableMaker(const graph::Graph& graph, const WriteOptions& options) : graph_(graph), options_(options) {}

  Tables make() {
    tables_.buffers.emplace_back();  // buffer 0 stays empty by convention: "no data"
    auto subgraph = std::make_unique<tfl::SubGraphT>();
    subgraph_ = subgraph.get();
    subgraph->name = options_.signature;
    for (const graph::ValueId id : graph_.inputs) subgraph->inputs.push_back(tensor_of(id));
    for (const graph::Node& node : graph_.nodes) add_operator(node);
    for (const graph::ValueId id : graph_.outputs) subgraph->outputs.push_back(tensor_of(id));
    if (options_.dynamic_shapes) mark_dynamic();
    tables_.model.version = 3;
    tables_.model.description = options_.description;
    tables_.model.signature_defs.push_back(make_signature());
    tables_.model.subgraphs.push_back(std::move(subgraph));
    for (const auto& [name, text] : options_.metadata) add_metadata(name, text);
    return std::move(tables_);
  }

 private:
  std::int32_t add_tensor(std::string name, DType type, const Shape& shape, BufferContent content) {
    auto tensor = std::make_unique<tfl::TensorT>();
    for (const std::int64_t dim : shape) tensor->shape.push_back(static_cast<std::int32_t>(dim));
    tensor->type = to_tensor_type(type);
    tensor->name = std::move(name);
    tensor->has_rank = true;
    if (content.size() > 0) {
      tensor->buffer = static_cast<std::uint32_t>(tables_.buffers.size());
      tables_.buffers.push_back(std::move(content));
    }
    subgraph_->tensors.push_back(std::move(tensor));
    return static_cast<std::int32_t>(subgraph_->tensors.size() - 1);
  }

  static std::unique_ptr<tfl::QuantizationParametersT> quantization_of(
      const graph::Quantization& quantization) {
    auto parameters = std::make_unique<tfl::QuantizationParametersT>();
    parameters->scale = quantization.scales;
    parameters->zero_point.assign(quantization.scales.size(), 0);
    parameters->quantized_dimension = 0;
    return parameters;
  }

  std::int32_t tensor_of(graph::ValueId id) {
    const auto [entry, is_new] = tensors_.try_emplace(id, 0);
    if (is_new) {
      const graph::Value& value = graph_.value(id);
      entry->second = add_tensor(value.name, value.type, value.shape, {value.source, {}});
      if (value.quantization) subgraph_->tensors.back()->quantization = quantization_of(*value.quantization);
    }
    return entry->second;
  }

  std::int32_t index_tensor(const std::string& name, const model_file::IndexInput& input) {
    const auto [entry, is_new] = index_tensors_.try_emplace(input, 0);
    if (is_new) {
      BufferContent content;
      content.bytes.resize(input.values.size() * sizeof(std::int32_t));
      std::memcpy(content.bytes.data(), input.values.data(), content.bytes.size());
      entry->second = add_tensor(name, DType::kInt32, input.shape, std::move(content));
    }
    return entry->second;
  }

  void add_operator(const graph::Node& node) {
    model_file::EmittedOp emitted = model_file::emit_op(graph_, node);
    auto op = std::make_unique<tfl::OperatorT>();
    op->opcode_index = opcode(emitted.code, emitted.version);
    for (const graph::ValueId id : node.inputs) op->inputs.push_back(tensor_of(id));
    for (const auto& values : emitted.index_inputs)
      op->inputs.push_back(index_tensor(node.name + ".indices", values));
    op->outputs.push_back(tensor_of(node.output));
    op->builtin_options = std::move(emitted.options);
    subgraph_->operators.push_back(std::move(op));
  }

  std::uint32_t opcode(tfl::BuiltinOperator code, int version) {
    auto& codes = tables_.model.operator_codes;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (codes[i]->builtin_code == code && codes[i]->version == version)
        return static_cast<std::uint32_t>(i);
    }
    auto entry = std::make_unique<tfl::OperatorCodeT>();
    entry->builtin_code = code;
    // Readers of the old schema look here; 127 says "see builtin_code".
    entry->deprecated_builtin_code = static_cast<std::int8_t>(std::min(static_cast<int>(code), 127));
    entry->version = version;
    codes.push_back(std::move(entry));
    return static_cast<std::uint32_t>(codes.size() - 1);
  }

  // The runtime works intermediate shapes out from the inputs when these are resized. Of rank 4 are pictures,
  // and the logits of a pixelwise model.
  void mark_dynamic() {
    for (const auto* ids : {&graph_.inputs, &graph_.outputs}) {
      for (const graph::ValueId id : *ids) {
        tfl::TensorT& tensor = *subgraph_->tensors[static_cast<std::size_t>(tensors_.at(id))];
        tensor.shape_signature = tensor.shape;
        tensor.shape_signature[0] = -1;
        if (tensor.shape.size() != 4) continue;
        const ImageAxes axes = image_axes(options_.layout);
        tensor.shape_signature[axes.height] = tensor.shape_signature[axes.width] = -1;
      }
    }
  }

  std::unique_ptr<tfl::SignatureDefT> make_signature() {
    auto signature = std::make_unique<tfl::SignatureDefT>();
    signature->signature_key = options_.signature;
    const auto add = [&](std::vector<std::unique_ptr<tfl::TensorMapT>>& list,
                         const std::vector<graph::ValueId>& ids, const std::vector<std::string>& names) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        auto entry = std::make_unique<tfl::TensorMapT>();
        entry->name = names.empty() ? graph_.value(ids[i]).name : names[i];
        entry->tensor_index = static_cast<std::uint32_t>(tensors_.at(ids[i]));
        list.push_back(std::move(entry));
      }
    };
    add(signature->inputs, graph_.inputs, {});
    add(signature->outputs, graph_.outputs, options_.output_names);
    return signature;
  }

  void add_metadata(const std::string& name, const std::string& text) {
    auto entry = std::make_unique<tfl::MetadataT>();
    entry->name = name;
    entry->buffer = static_cast<std::uint32_t>(tables_.buffers.size());
    tables_.buffers.push_back({nullptr, std::vector<std::uint8_t>(text.begin(), text.end())});
    tables_.model.metadata.push_back(std::move(entry));
  }

  const graph::Graph& graph_;
  const WriteOptions& options_;
  Tables tables_;
  tfl::SubGraphT* subgraph_ = nullptr;
  std::map<graph::ValueId, std::int32_t> tensors_;
  std::map<model_file::IndexInput, std::int32_t> index_tensors_;
};

}  // namespace

Tables make_tables(const graph::Graph& graph, const WriteOptions& options) {
  return TableMaker(graph, options).make();
}

}  // namespace sealite::tflite
