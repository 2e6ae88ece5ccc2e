#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "schema_generated.h"
#include "tflite/writer.h"

namespace sealite::tflite {

/// One of the file's buffers: a constant's source, or a few bytes (shape vectors, metadata).
struct BufferContent {
  graph::SourcePtr source;
  std::vector<std::uint8_t> bytes;
  std::uint64_t size() const { return source ? source->byte_size() : bytes.size(); }
};

/// The model's tables without their buffers' bytes.
struct Tables {
  tfl::ModelT model;  // `buffers` is empty: they are in `buffers` below, index for index
  std::vector<BufferContent> buffers;
};

/// Translates the graph (emit_op for each node).
Tables make_tables(const graph::Graph& graph, const WriteOptions& options);

/// Where a buffer's bytes go in the file.
struct Placed {
  const BufferContent* content = nullptr;
  std::uint64_t offset = 0;
};

/// A finished flatbuffer, less the bytes of its sources, which were never touched and so never took memory.
struct Layout {
  flatbuffers::DetachedBuffer flatbuffer;
  std::vector<Placed> placed;  // sources only, in file order
  std::uint64_t file_bytes = 0;
};

Layout lay_out(const Tables& tables, WeightPlacement placement);

}  // namespace sealite::tflite
