#include "tflite/layout.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace sealite::tflite {
namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::size_t kInsideAlignment = 32;  // the most that FlatBuffers allows
// XNNPACK's kernels read up to 16 bytes past a weight's end; the file's tail keeps that inside the mapping.
constexpr std::uint64_t kTail = 64;
// FlatBuffers count in signed 32 bits; what the tables themselves take is far below the difference.
constexpr std::uint64_t kMaxInside = (std::uint64_t{1} << 31U) - (std::uint64_t{1} << 26U);
// A value that no real offset has; anything above 1 makes the field non-default, so that it is written at
// all.
constexpr std::uint64_t kPlaceholder = std::uint64_t{1} << 40U;

std::uint64_t total_bytes(const Tables& tables) {
  std::uint64_t total = 0;
  for (const BufferContent& buffer : tables.buffers) total += align_up(buffer.size(), kAlignment);
  return total;
}

using BufferOffset = flatbuffers::Offset<tfl::Buffer>;

flatbuffers::Offset<tfl::Model> add_model(flatbuffers::FlatBufferBuilder& builder, const tfl::ModelT& model,
                                          const std::vector<BufferOffset>& buffers) {
  std::vector<flatbuffers::Offset<tfl::OperatorCode>> codes;
  for (const auto& code : model.operator_codes) codes.push_back(CreateOperatorCode(builder, code.get()));
  std::vector<flatbuffers::Offset<tfl::SubGraph>> subgraphs;
  for (const auto& subgraph : model.subgraphs) subgraphs.push_back(CreateSubGraph(builder, subgraph.get()));
  std::vector<flatbuffers::Offset<tfl::Metadata>> metadata;
  for (const auto& entry : model.metadata) metadata.push_back(CreateMetadata(builder, entry.get()));
  std::vector<flatbuffers::Offset<tfl::SignatureDef>> signatures;
  for (const auto& signature : model.signature_defs)
    signatures.push_back(CreateSignatureDef(builder, signature.get()));
  const auto description = builder.CreateString(model.description);
  return tfl::CreateModel(builder, model.version, builder.CreateVector(codes),
                          builder.CreateVector(subgraphs), description, builder.CreateVector(buffers), 0,
                          builder.CreateVector(metadata), builder.CreateVector(signatures));
}

void finish(flatbuffers::FlatBufferBuilder& builder, const Tables& tables,
            const std::vector<BufferOffset>& buffers) {
  builder.Finish(add_model(builder, tables.model, buffers), tfl::ModelIdentifier());
}

flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> add_bytes(flatbuffers::FlatBufferBuilder& builder,
                                                                 const std::vector<std::uint8_t>& bytes) {
  builder.ForceVectorAlignment(bytes.size(), 1, 16);
  return builder.CreateVector(bytes);
}

// Weights inside: their vectors are made first (so they lie at the end of the file) and left uninitialised.
// The builder's memory is one large allocation that the system backs only where it is touched.
Layout lay_out_inside(const Tables& tables) {
  constexpr std::uint64_t kTableRoom = std::uint64_t{1} << 22U;
  flatbuffers::FlatBufferBuilder builder(static_cast<std::size_t>(total_bytes(tables) + kTableRoom));
  std::vector<flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>> data(tables.buffers.size());
  for (std::size_t i = tables.buffers.size(); i-- > 0;) {
    const BufferContent& content = tables.buffers[i];
    if (!content.source) continue;
    std::uint8_t* unused = nullptr;
    builder.ForceVectorAlignment(content.size(), 1, kInsideAlignment);
    data[i] =
        builder.CreateUninitializedVector<std::uint8_t>(static_cast<std::size_t>(content.size()), &unused);
  }
  std::vector<BufferOffset> buffers;
  for (std::size_t i = 0; i < tables.buffers.size(); ++i) {
    const BufferContent& content = tables.buffers[i];
    if (!content.source && !content.bytes.empty()) data[i] = add_bytes(builder, content.bytes);
    buffers.push_back(tfl::CreateBuffer(builder, data[i]));
  }
  finish(builder, tables, buffers);
  const std::uint64_t size = builder.GetSize();
  Layout layout;
  for (std::size_t i = 0; i < tables.buffers.size(); ++i) {
    if (!tables.buffers[i].source) continue;
    // Offsets count from the end; the bytes follow a 32-bit length.
    layout.placed.push_back({&tables.buffers[i], size - data[i].o + sizeof(std::uint32_t)});
  }
  layout.flatbuffer = builder.Release();
  layout.file_bytes = size + kTail;
  return layout;
}

flatbuffers::DetachedBuffer build_outside(const Tables& tables, const std::vector<std::uint64_t>& offsets) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<BufferOffset> buffers;
  for (std::size_t i = 0; i < tables.buffers.size(); ++i) {
    const BufferContent& content = tables.buffers[i];
    if (content.source) {
      buffers.push_back(tfl::CreateBuffer(builder, 0, offsets[i], content.size()));
    } else {
      const auto data = content.bytes.empty() ? 0 : add_bytes(builder, content.bytes);
      buffers.push_back(tfl::CreateBuffer(builder, data));
    }
  }
  finish(builder, tables, buffers);
  return builder.Release();
}

// Weights outside: a first build with placeholders tells how large the tables are, the second has the
// offsets. Both are equally long: the fields are 64 bits whatever they hold.
Layout lay_out_outside(const Tables& tables) {
  std::vector<std::uint64_t> offsets(tables.buffers.size(), kPlaceholder);
  std::uint64_t end = align_up(build_outside(tables, offsets).size(), kAlignment);
  Layout layout;
  for (std::size_t i = 0; i < tables.buffers.size(); ++i) {
    if (!tables.buffers[i].source) continue;
    offsets[i] = end;
    layout.placed.push_back({&tables.buffers[i], end});
    end = align_up(end + tables.buffers[i].size(), kAlignment);
  }
  layout.flatbuffer = build_outside(tables, offsets);
  layout.file_bytes = end + kTail;
  return layout;
}

}  // namespace

Layout lay_out(const Tables& tables, WeightPlacement placement) {
  const bool fits = total_bytes(tables) < kMaxInside;
  if (placement == WeightPlacement::kInside && !fits) {
    fail(ErrorCode::kUnsupported,
         "{} bytes of weights do not fit inside a flatbuffer (2 GB); place them outside",
         total_bytes(tables));
  }
  const bool inside = placement == WeightPlacement::kAutomatic ? fits : placement == WeightPlacement::kInside;
  return inside ? lay_out_inside(tables) : lay_out_outside(tables);
}

}  // namespace sealite::tflite
