#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "graph/graph.h"

namespace sealite::model_file {

class ModelFile;

/// The network that a .tflite file holds, as a graph whose constants are views of the mapped file: so that
/// the reference evaluator can run what was really stored, and name the layer that differs. Names are the
/// file's. The inverse of `write` up to composites and Dequantize, for one signature. Throws kNotFound,
/// kMalformed, or kUnsupported for an operator or option that Sealite does not write.
graph::Graph import_graph(const std::filesystem::path& path, std::string_view signature);
/// The same for a file that `read_model` has checked.
graph::Graph import_graph(std::shared_ptr<const ModelFile> file, std::string_view signature);

}  // namespace sealite::model_file
