#include "checkpoint/safetensors_writer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "checkpoint/safetensors.h"

namespace sealite::checkpoint {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kHeaderAlignment = 8;
constexpr std::string_view kMetadata = "__metadata__";

struct TypeRow {
  DType type;
  std::string_view name;
};

// In the order in which their tensors are written.
constexpr std::array<TypeRow, 13> kTypes{{{DType::kUInt64, "U64"},
                                          {DType::kInt64, "I64"},
                                          {DType::kFloat64, "F64"},
                                          {DType::kFloat32, "F32"},
                                          {DType::kUInt32, "U32"},
                                          {DType::kInt32, "I32"},
                                          {DType::kBFloat16, "BF16"},
                                          {DType::kFloat16, "F16"},
                                          {DType::kUInt16, "U16"},
                                          {DType::kInt16, "I16"},
                                          {DType::kInt8, "I8"},
                                          {DType::kUInt8, "U8"},
                                          {DType::kBool, "BOOL"}}};

const TypeRow& row_of(const NewTensor& tensor) {
  const auto* const found = std::ranges::find(kTypes, tensor.type, &TypeRow::type);
  if (found != kTypes.end()) return *found;
  fail(ErrorCode::kUnsupported, "tensor '{}': safetensors files hold no {}", printable(tensor.name),
       dtype_name(tensor.type));
}

// A tensor and where its bytes begin, counted from the end of the header.
struct Placed {
  const NewTensor* tensor = nullptr;
  const TypeRow* row = nullptr;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct DataBlock {
  const Placed* placed = nullptr;
  std::uint64_t offset = 0;  // inside the tensor
  std::uint64_t size = 0;
};

void check_tensor(const NewTensor& tensor) {
  check_new_tensor(tensor);
  if (tensor.name == kMetadata) {
    fail(ErrorCode::kUsage, "a tensor cannot be called '{}' in a safetensors file", kMetadata);
  }
  if (!tensor.same_storage_as.empty()) {
    fail(ErrorCode::kUsage, "tensor '{}' shares the memory of '{}': a safetensors file has no place for that",
         printable(tensor.name), printable(tensor.same_storage_as));
  }
}

std::vector<Placed> place(const std::vector<NewTensor>& tensors) {
  std::vector<Placed> placed;
  for (const NewTensor& tensor : tensors) {
    check_tensor(tensor);
    placed.push_back({&tensor, &row_of(tensor)});
  }
  std::ranges::sort(placed, {}, [](const Placed& one) {
    return std::tuple<const TypeRow*, std::string_view>(one.row, one.tensor->name);
  });
  std::uint64_t end = 0;
  for (Placed& one : placed) {
    const auto next = checked_add(end, new_tensor_bytes(*one.tensor));
    if (!next) fail(ErrorCode::kUsage, "the tensors have more than 2^64 bytes");
    one.begin = end;
    one.end = end = *next;
  }
  return placed;
}

// JSON, and spaces up to a multiple of 8. Piece by piece, since ordered_json searches all keys at each new
// one.
std::string header_text(const std::vector<Placed>& placed, const ArgMap& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += fmt::format("\"{}\":{}", kMetadata, Json(metadata).dump());
  for (const Placed& one : placed) {
    if (text.size() > 1) text += ',';
    text += fmt::format(
        "{}:{}", Json(one.tensor->name).dump(),
        Json({{"dtype", one.row->name}, {"shape", one.tensor->shape}, {"data_offsets", {one.begin, one.end}}})
            .dump());
  }
  text += '}';
  text.append(align_up(text.size(), kHeaderAlignment) - text.size(), ' ');
  if (text.size() > kMaxSafetensorsHeader) {
    fail(ErrorCode::kUnsupported,
         "{} tensors need a header of {} bytes, readers accept {}; write a .pth file instead", placed.size(),
         text.size(), kMaxSafetensorsHeader);
  }
  return text;
}

void check_names(const std::vector<NewTensor>& tensors) {
  std::vector<std::string_view> names;
  for (const NewTensor& tensor : tensors) names.emplace_back(tensor.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) fail(ErrorCode::kUsage, "two tensors are called '{}'", printable(*twice));
}

void check_metadata(const ArgMap& metadata) {
  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key) || !is_utf8(value)) {
      fail(ErrorCode::kUsage, "metadata '{}' is not UTF-8", printable(key));
    }
  }
}

}  // namespace

void write_safetensors_file(const std::filesystem::path& path, const std::vector<NewTensor>& tensors,
                            const ArgMap& metadata) {
  AtomicFile file(path);
  check_names(tensors);
  check_metadata(metadata);
  const std::vector<Placed> placed = place(tensors);
  const std::string header = header_text(placed, metadata);
  const std::uint64_t data = kSafetensorsLengthSize + header.size();
  const std::uint64_t total = placed.empty() ? 0 : placed.back().end;
  file.reserve(data + total);
  const std::uint64_t length = header.size();  // little-endian, as this machine
  file.write(0, std::as_bytes(std::span(&length, 1)));
  file.write(kSafetensorsLengthSize, as_bytes(header));

  std::vector<DataBlock> blocks;
  for (const Placed& one : placed) {
    const std::uint64_t size = one.end - one.begin;
    for (std::uint64_t offset = 0; offset < size; offset += kBlockBytes) {
      blocks.push_back({&one, offset, std::min(kBlockBytes, size - offset)});
    }
  }
  Progress progress("writing", total);
  parallel_for(blocks.size(), [&](std::size_t i) {
    const DataBlock& block = blocks[i];
    // Not zeroed: `fill` makes every byte.
    const auto buffer = std::make_unique_for_overwrite<std::byte[]>(block.size);
    const MutableByteView bytes(buffer.get(), block.size);
    block.placed->tensor->fill(block.offset, bytes);
    file.write(data + block.placed->begin + block.offset, bytes);
    progress.advance(block.size);
  });
  file.commit();
}

}  // namespace sealite::checkpoint
