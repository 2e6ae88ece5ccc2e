#include "model_file/runnable_graph.h"

#include <algorithm>
#include <cstddef>
#include <variant>

#include "base/error.h"
#include "base/image_shape.h"
#include "model_file/import_graph.h"
#include "model_file/model_file.h"
#include "model_file/run_memory.h"
#include "model_file/table_checker.h"

namespace sealite::model_file {
namespace {

/// What the operators take: integer, fp16 and float32 filters each where LiteRT has a kernel for them.
void check_operands(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes) {
    const bool dense = std::holds_alternative<graph::Conv2D>(node.op) ||
                       std::holds_alternative<graph::FullyConnected>(node.op);
    const bool widens = std::holds_alternative<graph::Dequantize>(node.op);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const DType type = graph.value(node.inputs[i]).type;
      const bool integers = type == DType::kInt8 || type == DType::kInt4;
      // Its convolutions have no kernel for 4 bits.
      const bool filter =
          dense && i == 1 && (type != DType::kInt4 || std::holds_alternative<graph::FullyConnected>(node.op));
      const bool fits = widens ? type == DType::kFloat16 : type == DType::kFloat32 || (integers && filter);
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

/// One square picture, so that a model with free sizes runs at the very shapes that were checked.
void check_picture(const graph::Graph& graph) {
  constexpr std::int64_t kMinSide = 4;        // [1, 3, 3, 3] could be either layout
  constexpr std::int64_t kMaxSide = 1 << 12;  // what `convert --image-size` takes
  for (const graph::ValueId id : graph.inputs) {
    const Shape& shape = graph.shape(id);
    const std::optional<ImageLayout> layout = layout_of_input(shape);
    bool fits = shape.size() == 2 && shape[0] == 1;
    if (layout) {
      const std::int64_t side = shape[image_axes(*layout).height];
      fits = shape == image_shape(*layout, 1, side, side) && side >= kMinSide && side <= kMaxSide;
    }
    if (!fits)
      fail(ErrorCode::kUnsupported,
           "input '{}' is {}, expected one square picture of {} to {} pixels, or one message",
           graph.value(id).name, to_string(shape), kMinSide, kMaxSide);
  }
}

void check_memory(const graph::Graph& graph, const ModelFile& file) {
  const std::uint64_t needed = run_memory(graph);
  const std::uint64_t allowed = allowed_run_memory(file.size());
  if (needed > allowed)
    fail(ErrorCode::kUnsupported,
         "one run would take {} bytes of memory beside the weights, expected at most {} for a file of {}",
         needed, allowed, file.size());
}

}  // namespace

graph::Graph read_runnable_graph(const std::filesystem::path& path, std::string_view signature) {
  auto file = open_model(path);
  read_model(*file);  // for its checks of every index
  return read_runnable_graph(file, signature);
}

graph::Graph read_runnable_graph(const std::shared_ptr<const ModelFile>& file, std::string_view signature) {
  const std::string path = file->path().string();
  check_tables(*file, signature);
  try {
    graph::Graph graph = import_graph(file, signature);
    check_operands(graph);
    check_picture(graph);
    check_memory(graph, *file);
    check_operators(*file, graph);
    return graph;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    fail(ErrorCode::kUnsupported, "'{}' is no model that sealite converted: {}", path, error.what());
  }
}

}  // namespace sealite::model_file
