// Any bytes as a model that is about to run: what passes the check is a sound network, and takes no more
// memory than its size allows.
#include "model_file/runnable_graph.h"

#include "fuzz/input_file.h"
#include "graph/graph.h"
#include "model_file/run_memory.h"
#include "sealite/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealite;
  const InputFile file(std::span(data, size));
  for (const char* signature : {"detect", "embed"}) {
    try {
      const graph::Graph graph = model_file::read_runnable_graph(file.path(), signature);
      graph::verify(graph);
      if (model_file::run_memory(graph) > model_file::allowed_run_memory(size)) __builtin_trap();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInternal) __builtin_trap();
    }
  }
  return 0;
}
