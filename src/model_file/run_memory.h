#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace sealite::model_file {

/// An estimate of the memory in bytes that one run at the graph's own shapes takes beside the weights: the
/// activations that live at one time, at most, and what XNNPACK keeps of addresses: 8 bytes for each output
/// pixel and filter tap of a convolution.
std::uint64_t run_memory(const graph::Graph& graph);

/// What a model whose file has so many bytes may take: 1 GiB and 64 times its size.
std::uint64_t allowed_run_memory(std::uint64_t file_bytes);

}  // namespace sealite::model_file
