#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "graph/graph.h"

namespace sealite::model_file {

class ModelFile;

/// Reads the network of a model that is about to be run, and refuses every file that Sealite cannot follow to
/// the last field: LiteRT checks little of what it is given, and ends the process at what it did not expect.
/// Beyond `import_graph` this asks for one subgraph and one signature that agree, no table field outside our
/// schema, no weight twice or at the file's very end, and that shapes, types and lists of operands are what
/// Sealite would write. Throws kNotFound, kMalformed, or kUnsupported for another converter's operators.
graph::Graph read_runnable_graph(const std::filesystem::path& path, std::string_view signature);
/// The same for a file that `read_model` has checked.
graph::Graph read_runnable_graph(const std::shared_ptr<const ModelFile>& file, std::string_view signature);

}  // namespace sealite::model_file
