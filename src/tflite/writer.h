#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "graph/graph.h"
#include "sealite/image_layout.h"

namespace sealite::tflite {

/// Where weights lie in the file.
enum class WeightPlacement : std::uint8_t {
  kAutomatic,  // inside below 2 GB, where every reader finds them; outside above, where there is no other way
  kInside,     // Buffer.data
  kOutside,    // Buffer.offset and Buffer.size, after the flatbuffer
};

struct WriteOptions {
  std::string signature;                  // "detect"
  std::string description;                // one line, shown by viewers
  std::vector<std::string> output_names;  // of the signature; empty: the values' own names
  using Metadata = std::vector<std::pair<std::string, std::string>>;  // name -> text
  Metadata metadata;
  /// Called, if not null, when every weight has been read and written: `metadata` once more, with texts of
  /// the same lengths. So it can tell what was read.
  std::function<Metadata()> final_metadata;
  bool dynamic_shapes = false;              // batch, height and width of the inputs are free
  ImageLayout layout = ImageLayout::kNhwc;  // of the input image: says which axes those are
  WeightPlacement placement = WeightPlacement::kAutomatic;
  bool sync = false;
};

struct WriteResult {
  std::uint64_t file_bytes = 0;
  std::size_t operators = 0;
};

/// Writes `graph` as a .tflite file: plans every offset, reserves the space, streams the constants in
/// parallel blocks of two megabytes, and only then gives the file its name. The graph's inputs and outputs
/// make up one signature, by their values' names. Throws kIo, kInterrupted, kUnsupported (kInside above 2
/// GB); then no file is left.
WriteResult write(const graph::Graph& graph, const std::filesystem::path& path, const WriteOptions& options);

/// A complete file that gets its name from `file->commit`; without that nothing is left of it.
struct UnnamedModel {
  WriteResult result;
  std::unique_ptr<AtomicFile> file;
};

/// `write` but for the name, so that several files can appear together or not at all.
UnnamedModel write_unnamed(const graph::Graph& graph, const std::filesystem::path& path,
                           const WriteOptions& options);

}  // namespace sealite::tflite
