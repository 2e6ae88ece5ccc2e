#pragma once

#include <string_view>

#include "graph/graph.h"
#include "model_file/model_file.h"

namespace sealite::model_file {

/// The tables of a model that is about to be run, apart from what the operators mean: LiteRT parses all of
/// them before anybody asks (names, signatures, metadata, buffers, operator codes), so only what `write`
/// makes passes. For a file whose indices `read_model` has checked. Throws kMalformed for tables that
/// contradict each other, kUnsupported for what Sealite does not write.
void check_tables(const ModelFile& file, std::string_view signature);

/// The operators of the file are, option by option, those that `write` makes of `graph`, its import. Throws
/// kUnsupported.
void check_operators(const ModelFile& file, const graph::Graph& graph);

}  // namespace sealite::model_file
