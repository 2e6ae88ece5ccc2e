#include "sealite/inspect.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>
#include <tuple>

#include "base/context.h"
#include "checkpoint/checkpoint.h"
#include "model_file/reader.h"

namespace sealite {
namespace {

// What batch normalisation saves without training it.
bool is_buffer(std::string_view name) {
  constexpr std::string_view kBuffers[] = {"running_mean", "running_var", "num_batches_tracked"};
  return std::ranges::find(kBuffers, name.substr(name.rfind('.') + 1)) != std::end(kBuffers);
}

// Trained values, a shared storage counted once: as make-checkpoint counts, and PyTorch's `parameters()`.
std::uint64_t parameter_total(const checkpoint::Checkpoint& file) {
  std::uint64_t total = 0;
  std::set<std::tuple<const std::byte*, DType, std::uint64_t>> seen;
  for (const auto& [name, tensor] : file.tensors()) {
    const std::uint64_t count = element_count(tensor.shape).value_or(0);
    if (!is_buffer(name) && seen.emplace(tensor.bytes.data(), tensor.type, count).second) total += count;
  }
  return total;
}

std::vector<InspectedTensor> to_public(const std::vector<model_file::ModelTensor>& tensors) {
  std::vector<InspectedTensor> list;
  for (const model_file::ModelTensor& tensor : tensors)
    list.push_back(
        {tensor.name, std::string(dtype_name(tensor.type)), tensor.shape, "", tensor.weight_bytes});
  return list;
}

}  // namespace

bool is_model_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> head{};
  file.read(head.data(), head.size());
  return file.gcount() == 8 && std::string_view(head.data() + 4, 4) == "TFL3";
}

CheckpointInspection inspect_checkpoint(const std::filesystem::path& checkpoint, const Context& context,
                                        const std::string& key) {
  const InContext scope(context);
  const auto file = checkpoint::Checkpoint::open(checkpoint, key);
  CheckpointInspection found;
  found.format = file.format();
  found.bytes = file.file_bytes();
  found.parameters = parameter_total(file);
  found.args.insert(file.args().begin(), file.args().end());
  for (const auto& section : file.sections())
    found.sections.push_back({section.name, section.tensors, section.bytes, section.opaque});
  found.unreadable.insert(file.unreadable().begin(), file.unreadable().end());
  found.notes = file.notes();
  for (const auto& [name, tensor] : file.tensors())
    found.tensors.push_back({name, std::string(dtype_name(tensor.type)), tensor.shape, tensor.storage, 0});
  return found;
}

ModelInspection inspect_model(const ModelSource& model, const Context& context) {
  const InContext scope(context);
  const model_file::ModelInfo info = model_file::read_model(*model_file::open_model(model));
  ModelInspection found;
  found.bytes = info.file_bytes;
  found.description = info.description;
  found.weights_outside = info.weights_outside;
  for (const auto& signature : info.signatures)
    found.signatures.push_back({signature.key, to_public(signature.inputs), to_public(signature.outputs)});
  found.operators.insert(info.operators.begin(), info.operators.end());
  found.metadata.insert(info.metadata.begin(), info.metadata.end());
  found.tensors = to_public(info.tensors);
  return found;
}

}  // namespace sealite
