#include "tflite/writer.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "tflite/layout.h"

namespace sealite::tflite {
namespace {

// What one worker holds at a time; small enough for a core's cache, large enough to write at full speed.
constexpr std::uint64_t kBlockBytes = std::uint64_t{2} << 20U;

// A range of a constant's rows, and where its bytes go.
struct Block {
  const graph::Source* source = nullptr;
  graph::Rows rows;
  std::uint64_t offset = 0;
};

// A filter's rows and the same rows of its bias lie next to each other in the list, the bias first: a folded
// bias reads the filter's weights, which are then still in this worker's cache.
void add_blocks(const Placed& placed, std::int64_t step, std::vector<std::vector<Block>>& groups) {
  const graph::Source& source = *placed.content->source;
  std::size_t group = 0;
  for (std::int64_t row = 0; row < source.row_count(); row += step, ++group) {
    if (group == groups.size()) groups.emplace_back();
    groups[group].insert(groups[group].begin(),
                         {&source,
                          {row, std::min(row + step, source.row_count())},
                          placed.offset + static_cast<std::uint64_t>(row) * source.bytes_per_row()});
  }
}

std::int64_t rows_per_block(const graph::Source& source) {
  return static_cast<std::int64_t>(
      std::max<std::uint64_t>(1, kBlockBytes / std::max<std::uint64_t>(1, source.bytes_per_row())));
}

std::vector<std::vector<Block>> cut_into_blocks(const std::vector<Placed>& placed) {
  std::vector<std::vector<Block>> all;
  for (std::size_t i = 0; i < placed.size();) {
    const graph::Source& source = *placed[i].content->source;
    const std::int64_t step = rows_per_block(source);
    std::vector<std::vector<Block>> groups;
    add_blocks(placed[i++], step, groups);
    while (i < placed.size() && source.shape().size() > 1 &&
           placed[i].content->source->shape() == Shape{source.row_count()}) {
      add_blocks(placed[i++], step, groups);
    }
    all.insert(all.end(), groups.begin(), groups.end());
  }
  return all;
}

std::uint64_t block_bytes(const Block& block) {
  return block.source->bytes_per_row() * static_cast<std::uint64_t>(block.rows.end - block.rows.begin);
}

void write_block(AtomicFile& file, const Block& block) {
  const ByteView in_place = block.source->view(block.rows);
  if (!in_place.empty()) {
    file.write(block.offset, in_place);
  } else {
    // Not a thread_local: the C library ends the process when there is no memory for its destructor's entry.
    const auto size = static_cast<std::size_t>(block_bytes(block));
    const auto buffer = std::make_unique_for_overwrite<std::byte[]>(size);
    const MutableByteView bytes(buffer.get(), size);
    block.source->read(block.rows, bytes);
    file.write(block.offset, bytes);
  }
}

// The flatbuffer's own bytes: everything between the weights that lie inside it. The weights' pages in its
// memory were never touched and are not read here.
void write_tables(AtomicFile& file, const Layout& layout) {
  const ByteView all = std::as_bytes(std::span(layout.flatbuffer.data(), layout.flatbuffer.size()));
  std::uint64_t position = 0;
  for (const auto& [content, offset] : layout.placed) {
    if (offset >= all.size()) break;
    file.write(position, all.subspan(position, offset - position));
    position = offset + content->size();
  }
  file.write(position, all.subspan(position));
}

// Puts other texts in the place of the metadata.
void replace_metadata(Layout& layout, const WriteOptions::Metadata& metadata) {
  std::uint8_t* file = layout.flatbuffer.data();
  const tfl::Model& model = *tfl::GetModel(file);
  for (std::size_t i = 0; i < metadata.size(); ++i) {
    const auto index = static_cast<flatbuffers::uoffset_t>(i);
    const auto* bytes = model.buffers()->Get(model.metadata()->Get(index)->buffer())->data();
    const std::string& text = metadata[i].second;
    if (bytes == nullptr || bytes->size() != text.size())
      fail(ErrorCode::kInternal, "metadata '{}' has another length now", metadata[i].first);
    std::ranges::copy(text, file + (bytes->data() - file));
  }
}

}  // namespace

UnnamedModel write_unnamed(const graph::Graph& graph, const std::filesystem::path& path,
                           const WriteOptions& options) {
  auto unnamed = std::make_unique<AtomicFile>(path);
  AtomicFile& file = *unnamed;
  const Tables tables = make_tables(graph, options);
  Layout layout = lay_out(tables, options.placement);
  file.reserve(layout.file_bytes);
  const auto groups = cut_into_blocks(layout.placed);
  Progress progress("writing", layout.file_bytes);
  parallel_for(groups.size(), [&](std::size_t i) {
    for (const Block& block : groups[i]) write_block(file, block);
    for (const Block& block : groups[i]) {
      block.source->release(block.rows);
      progress.advance(block_bytes(block));
    }
  });
  if (options.final_metadata) replace_metadata(layout, options.final_metadata());
  write_tables(file, layout);
  return {{layout.file_bytes, graph.nodes.size()}, std::move(unnamed)};
}

WriteResult write(const graph::Graph& graph, const std::filesystem::path& path, const WriteOptions& options) {
  const UnnamedModel model = write_unnamed(graph, path, options);
  model.file->commit(options.sync);
  return model.result;
}

}  // namespace sealite::tflite
