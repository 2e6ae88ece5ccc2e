#include <xxhash.h>

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/parallel.h"
#include "model/weights.h"

namespace sealite::model {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 21U;

// A piece of one parameter's bytes.
struct Chunk {
  std::size_t parameter;
  ByteView bytes;
  std::uint64_t hash = 0;
  std::uint64_t non_finite = 0;
};

// Values whose exponent bits are all ones.
template <typename Word>
std::uint64_t count_exponent(ByteView bytes, Word mask) {
  std::uint64_t count = 0;
  const auto* words = reinterpret_cast<const Word*>(bytes.data());
  for (std::size_t i = 0; i < bytes.size() / sizeof(Word); ++i) count += (words[i] & mask) == mask ? 1U : 0U;
  return count;
}

std::uint64_t count_non_finite(DType type, ByteView bytes) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(std::uint32_t) != 0) {
    const std::vector<std::byte> aligned(bytes.begin(), bytes.end());
    return count_non_finite(type, aligned);
  }
  switch (type) {
    case DType::kFloat32:
      return count_exponent<std::uint32_t>(bytes, 0x7F800000U);
    case DType::kFloat16:
      return count_exponent<std::uint16_t>(bytes, 0x7C00U);
    case DType::kBFloat16:
      return count_exponent<std::uint16_t>(bytes, 0x7F80U);
    default:
      return 0;
  }
}

}  // namespace

WeightAudit audit(const checkpoint::Checkpoint& checkpoint, const std::vector<Parameter>& parameters) {
  std::vector<Chunk> chunks;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const ByteView bytes = checkpoint.find(parameters[i].name)->bytes;
    for (std::size_t start = 0; start < bytes.size(); start += kChunkBytes) {
      chunks.push_back({i, bytes.subspan(start, std::min(kChunkBytes, bytes.size() - start))});
    }
  }
  parallel_for(chunks.size(), [&](std::size_t i) {
    Chunk& chunk = chunks[i];
    prefetch_pages(chunk.bytes);
    chunk.hash = XXH3_64bits(chunk.bytes.data(), chunk.bytes.size());
    chunk.non_finite = count_non_finite(checkpoint.find(parameters[chunk.parameter].name)->type, chunk.bytes);
    release_pages(chunk.bytes);
  });
  WeightAudit result;
  std::string digest;
  for (std::size_t i = 0; i < chunks.size();) {
    const std::size_t parameter = chunks[i].parameter;
    digest += fmt::format("{} {}", parameters[parameter].name, to_string(parameters[parameter].shape));
    std::uint64_t non_finite = 0;
    for (; i < chunks.size() && chunks[i].parameter == parameter; ++i) {
      digest += fmt::format(" {:016x}", chunks[i].hash);
      non_finite += chunks[i].non_finite;
    }
    digest += '\n';
    if (non_finite > 0) result.non_finite.emplace_back(parameters[parameter].name, non_finite);
  }
  const XXH128_hash_t hash = XXH3_128bits(digest.data(), digest.size());
  result.hash = fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
  return result;
}

}  // namespace sealite::model
