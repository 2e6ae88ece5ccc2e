#include "model_file/reader.h"

#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "model_file/model_file.h"

namespace sealite::model_file {
namespace {

// Shape vectors and texts; anything larger is a weight and not shown.
constexpr std::size_t kMaxMetadataBytes = 1U << 20U;
// Of all names, shapes, index lists and metadata. A full ChunkySeal has 2 MB of them. Tables may share a text
// or list, so that a small file can claim any amount at four bytes for each.
constexpr std::size_t kMaxContent = 32U << 20U;

class Reader {
 public:
  explicit Reader(const ModelFile& file) : file_(file) {}

  ModelInfo read() {
    const tfl::Model& model = file_.model();
    info_.file_bytes = file_.size();
    info_.description = text_of(model.description());
    info_.weights_outside = file_.weights_outside();
    if (count_of(model.subgraphs()) == 0) malformed("the model has no subgraph");
    for (const tfl::SubGraph* subgraph : *model.subgraphs()) read_subgraph(model, *subgraph);
    if (model.signature_defs() != nullptr) {
      for (const tfl::SignatureDef* signature : *model.signature_defs()) read_signature(model, *signature);
    }
    read_metadata(model);
    return std::move(info_);
  }

 private:
  template <typename... Args>
  [[noreturn]] void malformed(fmt::format_string<Args...> format, Args&&... args) const {
    file_.malformed(fmt::format(format, std::forward<Args>(args)...));
  }

  void read_subgraph(const tfl::Model& model, const tfl::SubGraph& subgraph) {
    charge(sizeof(ModelTensor));
    const std::size_t first = info_.tensors.size();
    const std::size_t count = count_of(subgraph.tensors());
    std::vector<bool> ready(count, false);
    for (std::size_t i = 0; i < count; ++i) {
      info_.tensors.push_back(read_tensor(*subgraph.tensors()->Get(static_cast<flatbuffers::uoffset_t>(i))));
      ready[i] = info_.tensors.back().weight_bytes > 0;
    }
    const auto name = [&](std::int32_t index) {
      return info_.tensors[first + static_cast<std::size_t>(index)].name;
    };
    for_indices(subgraph.inputs(), count,
                [&](std::int32_t index) { ready[static_cast<std::size_t>(index)] = true; });
    if (subgraph.operators() != nullptr) {
      for (const tfl::Operator* op : *subgraph.operators()) {
        const std::string kind = read_opcode(model, *op);
        for_indices(op->inputs(), count, [&](std::int32_t index) {
          if (!ready[static_cast<std::size_t>(index)])
            malformed("{} reads '{}' before it is made", kind, name(index));
          info_.tensors[first + static_cast<std::size_t>(index)].read = true;
        });
        for_indices(op->outputs(), count,
                    [&](std::int32_t index) { ready[static_cast<std::size_t>(index)] = true; });
      }
    }
    for_indices(subgraph.outputs(), count, [&](std::int32_t index) {
      if (!ready[static_cast<std::size_t>(index)]) malformed("output '{}' is never made", name(index));
    });
  }

  void charge(std::size_t bytes) {
    content_ += bytes;
    if (content_ > kMaxContent)
      malformed("its names, shapes and lists take more than {} bytes; are they shared?", kMaxContent);
  }

  std::string take_text(const flatbuffers::String* text) {
    charge(text == nullptr ? 0 : text->size());
    return text_of(text);
  }

  // -1 stands for an optional input that is absent.
  template <typename Body>
  void for_indices(const flatbuffers::Vector<std::int32_t>* indices, std::size_t count, Body body) {
    if (indices == nullptr) return;
    charge(indices->size() * sizeof(std::int32_t));
    for (const std::int32_t index : *indices) {
      if (index == -1) continue;
      if (index < 0 || static_cast<std::size_t>(index) >= count)
        malformed("tensor index {} of {}", index, count);
      body(index);
    }
  }

  std::string read_opcode(const tfl::Model& model, const tfl::Operator& op) {
    if (op.opcode_index() >= count_of(model.operator_codes()))
      malformed("operator code {} does not exist", op.opcode_index());
    const tfl::OperatorCode& code = *model.operator_codes()->Get(op.opcode_index());
    const tfl::BuiltinOperator builtin = builtin_of(code);
    std::string name = tfl::EnumNameBuiltinOperator(builtin);
    if (name.empty()) name = fmt::format("BUILTIN_{}", static_cast<std::int32_t>(builtin));
    if (code.custom_code() != nullptr) name = "CUSTOM " + take_text(code.custom_code());
    ++info_.operators[name];
    return name;
  }

  ModelTensor read_tensor(const tfl::Tensor& tensor) {
    ModelTensor result;
    charge(sizeof(ModelTensor) +
           sizeof(std::int32_t) * (count_of(tensor.shape()) + count_of(tensor.shape_signature())));
    result.name = take_text(tensor.name());
    const auto type = to_dtype(tensor.type());
    if (tensor.buffer() >= file_.buffers().size())
      malformed("'{}' uses buffer {} of {}", result.name, tensor.buffer(), file_.buffers().size());
    const ByteView bytes = file_.buffers()[tensor.buffer()];
    result.weight_bytes = bytes.size();
    const auto* shape = tensor.shape_signature() != nullptr ? tensor.shape_signature() : tensor.shape();
    if (shape != nullptr) result.shape.assign(shape->begin(), shape->end());
    if (!type) return result;  // another project's file: strings and such
    result.type = *type;
    if (bytes.empty()) return result;
    check_weight(result, bytes.size());
    // LiteRT goes by the shape, whatever the signature says.
    if (tensor.shape() != nullptr) result.shape.assign(tensor.shape()->begin(), tensor.shape()->end());
    check_weight(result, bytes.size());
    return result;
  }

  void check_weight(const ModelTensor& weight, std::size_t bytes) const {
    const auto elements = element_count(weight.shape);
    if (elements && *elements <= file_.size() * 2 && dtype_bytes(weight.type, *elements) == bytes) return;
    malformed("weight '{}' is {} {} but has {} bytes", weight.name, dtype_name(weight.type),
              to_string(weight.shape), bytes);
  }

  void read_signature(const tfl::Model& model, const tfl::SignatureDef& signature) {
    ModelSignature result;
    charge(sizeof(ModelSignature));
    result.key = take_text(signature.signature_key());
    if (signature.subgraph_index() >= model.subgraphs()->size())
      malformed("signature '{}' has no subgraph", result.key);
    const tfl::SubGraph& subgraph = *model.subgraphs()->Get(signature.subgraph_index());
    const auto add = [&](const auto* maps, std::vector<ModelTensor>& list) {
      if (maps == nullptr) return;
      for (const tfl::TensorMap* map : *maps) {
        if (map->tensor_index() >= count_of(subgraph.tensors()))
          malformed("signature '{}' names no tensor", result.key);
        list.push_back(read_tensor(*subgraph.tensors()->Get(map->tensor_index())));
        list.back().name = take_text(map->name());
      }
    };
    add(signature.inputs(), result.inputs);
    add(signature.outputs(), result.outputs);
    info_.signatures.push_back(std::move(result));
  }

  void read_metadata(const tfl::Model& model) {
    if (model.metadata() == nullptr) return;
    for (const tfl::Metadata* entry : *model.metadata()) {
      if (entry->buffer() >= file_.buffers().size())
        malformed("metadata '{}' has no buffer", text_of(entry->name()));
      const ByteView bytes = file_.buffers()[entry->buffer()];
      if (bytes.size() > kMaxMetadataBytes) continue;
      charge(bytes.size());
      info_.metadata[take_text(entry->name())] = std::string(as_text(bytes));
    }
  }

  const ModelFile& file_;
  ModelInfo info_;
  std::size_t content_ = 0;
};

}  // namespace

namespace {

/// Weights are read a little past their end (docs/file-format.md), so a file in memory has to end as ours do.
constexpr std::size_t kEndingZeros = 64;

MappedFile map_source(const std::filesystem::path& path) {
  return MappedFile::settled(path);
}

MappedFile map_source(const ModelSource::Descriptor& descriptor) {
  return MappedFile::settled(descriptor.number, descriptor.name);
}

MappedFile map_source(const ModelSource::Bytes& source) {
  const auto end = source.bytes.last(std::min(source.bytes.size(), kEndingZeros));
  const bool padded = end.size() == kEndingZeros &&
                      std::ranges::all_of(end, [](std::byte value) { return value == std::byte{0}; });
  return padded ? MappedFile::borrowed(source.bytes, source.name)
                : MappedFile::copy_of(source.bytes, kEndingZeros, source.name);
}

}  // namespace

std::shared_ptr<const ModelFile> open_model(const ModelSource& source) {
  return std::visit([](const auto& place) { return std::make_shared<const ModelFile>(map_source(place)); },
                    source.place());
}

std::string name_of(const ModelFile& file) {
  return file.path().string();
}

std::shared_ptr<const MappedFile> mapped_bytes(const ModelFile& file) {
  return file.mapped();
}

ModelInfo read_model(const std::filesystem::path& path) {
  return read_model(*open_model(path));
}

ModelInfo read_model(const ModelFile& file) {
  return Reader(file).read();
}

}  // namespace sealite::model_file
