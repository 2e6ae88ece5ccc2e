// Any bytes as a model: what the runtime is protected by, and the importer behind it.
#include "fuzz/input_file.h"
#include "graph/graph.h"
#include "model_file/import_graph.h"
#include "model_file/reader.h"
#include "sealite/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file(std::span(data, size));
  try {
    const sealite::model_file::ModelInfo info = sealite::model_file::read_model(file.path());
    for (const auto& signature : info.signatures) {
      try {
        const auto graph = sealite::model_file::import_graph(file.path(), signature.key);
        sealite::graph::verify(graph);
        dump(graph);
      } catch (const sealite::Error& error) {
        // The importer's word is that what it takes is sound.
        if (error.code() == sealite::ErrorCode::kInternal) __builtin_trap();
      }
    }
  } catch (const sealite::Error&) {
  }
  return 0;
}
