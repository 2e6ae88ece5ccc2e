#include "base/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/error.h"

// Debian 12 has no library with BLAKE3. SHA-256, which it has, takes seven times as long with the processor's
// own instructions for it, and would be seen in the time that `convert` takes
// (docs/log/2026-11-performance.md).
namespace sealite {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kBlockBytes = 64;
constexpr std::size_t kChunkBytes = 1024;

// The paper's tables 1 to 3.
constexpr std::uint32_t kStart[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                     0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
constexpr std::uint32_t kChunkStart = 1;
constexpr std::uint32_t kChunkEnd = 2;
constexpr std::uint32_t kParent = 4;
constexpr std::uint32_t kRoot = 8;

// The words of a block in the order of each round.
constexpr std::uint8_t kOrder[7][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
    {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
    {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
};

// What is done to several inputs of one length at once.
struct Job {
  std::size_t blocks = 1;
  std::uint64_t counter = 0;  // the first input's
  bool counts = false;        // each further input has the next number
  std::uint32_t flags = 0;
  std::uint32_t first_flags = 0;  // of the first block
  std::uint32_t last_flags = 0;
};

using Compress = void (*)(const std::byte* const* inputs, const Job& job, Digest* values);

namespace lanes_4 {
#define LANES 4
#include "base/blake3_lanes.h"
#undef LANES
}  // namespace lanes_4

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
namespace lanes_8 {
#define LANES 8
#include "base/blake3_lanes.h"
#undef LANES
}  // namespace lanes_8
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl")
#endif
namespace lanes_16 {
#define LANES 16
#include "base/blake3_lanes.h"
#undef LANES
}  // namespace lanes_16
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

constexpr std::size_t kMostLanes = 16;

struct Kernel {
  std::size_t lanes = 4;
  Compress compress = lanes_4::compress_lanes;
};

// The widest with at most `lanes` that the processor has instructions for.
Kernel choose_kernel(std::size_t lanes) {
#if defined(__x86_64__)
  if (lanes >= 16 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
    return {16, lanes_16::compress_lanes};
  if (lanes >= 8 && __builtin_cpu_supports("avx2")) return {8, lanes_8::compress_lanes};
#endif
  static_cast<void>(lanes);
  return {};
}

Kernel& kernel() {
  static Kernel chosen = choose_kernel(kMostLanes);
  return chosen;
}

// The chaining values of `count` inputs, `stride` bytes apart.
void compress_all(const std::byte* first, std::size_t stride, std::size_t count, Job job, Digest* values) {
  const Kernel& chosen = kernel();
  for (std::size_t done = 0; done < count; done += chosen.lanes) {
    const std::size_t here = std::min(chosen.lanes, count - done);
    const std::byte* inputs[kMostLanes];
    // Lanes that are left over do the last input's work again.
    for (std::size_t lane = 0; lane < chosen.lanes; ++lane)
      inputs[lane] = first + stride * (done + std::min(lane, here - 1));
    std::array<Digest, kMostLanes> found;
    chosen.compress(inputs, job, found.data());
    std::copy_n(found.begin(), here, values + done);
    job.counter += job.counts ? here : 0;
  }
}

// One block of up to 64 bytes, into a chaining value.
void compress_block(std::uint32_t* value, ByteView block, std::uint64_t counter, std::uint32_t flags) {
  std::uint32_t m[16] = {};
  if (!block.empty()) std::memcpy(m, block.data(), block.size());
  std::uint32_t v[16];
  std::copy_n(value, 8, v);
  std::copy_n(kStart, 4, v + 8);
  v[12] = static_cast<std::uint32_t>(counter);
  v[13] = static_cast<std::uint32_t>(counter >> 32U);
  v[14] = static_cast<std::uint32_t>(block.size());
  v[15] = flags;
  const auto mix = [&v](std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint32_t x,
                        std::uint32_t y) {
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 7);
  };
  for (const auto& order : kOrder) {
    for (std::size_t i = 0; i < 4; ++i) mix(i, i + 4, i + 8, i + 12, m[order[2 * i]], m[order[2 * i + 1]]);
    for (std::size_t i = 0; i < 4; ++i)
      mix(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, m[order[2 * i + 8]], m[order[2 * i + 9]]);
  }
  for (std::size_t i = 0; i < 8; ++i) value[i] = v[i] ^ v[i + 8];
}

// A chunk of up to 1,024 bytes by itself.
Digest compress_chunk(ByteView chunk, std::uint64_t counter, std::uint32_t last_flags) {
  std::uint32_t value[8];
  std::copy_n(kStart, 8, value);
  std::size_t start = 0;
  do {
    const ByteView block = chunk.subspan(start, std::min(kBlockBytes, chunk.size() - start));
    std::uint32_t flags = start == 0 ? kChunkStart : 0;
    start += kBlockBytes;
    if (start >= chunk.size()) flags |= kChunkEnd | last_flags;
    compress_block(value, block, counter, flags);
  } while (start < chunk.size());
  Digest digest;
  std::memcpy(digest.data(), value, digest.size());
  return digest;
}

// What a tree has above these values, its leaves or subtrees from left to right: pairs first, so that each
// left branch is the largest full one, as the paper wants it. `root_flag`: of the last one.
Digest join(std::vector<Digest> values, std::uint32_t root_flag) {
  std::vector<Digest> parents((values.size() + 1) / 2);
  while (values.size() > 1) {
    const std::size_t pairs = values.size() / 2;
    Job job;
    job.flags = kParent | (values.size() == 2 ? root_flag : 0);
    static_assert(sizeof(Digest) == 32);
    compress_all(reinterpret_cast<const std::byte*>(values.data()), 2 * sizeof(Digest), pairs, job,
                 parents.data());
    if (values.size() % 2 != 0) parents[pairs] = values.back();
    values.swap(parents);
    values.resize((parents.size() + 1) / 2);
  }
  return values.front();
}

// The value of a content's part that begins with chunk `counter`. `root_flag`: kRoot if it is all of it.
Digest tree_value(ByteView bytes, std::uint64_t counter, std::uint32_t root_flag) {
  if (bytes.size() <= kChunkBytes) return compress_chunk(bytes, counter, root_flag);
  const std::size_t full = bytes.size() / kChunkBytes;
  std::vector<Digest> values((bytes.size() + kChunkBytes - 1) / kChunkBytes);
  Job job;
  job.blocks = kChunkBytes / kBlockBytes;
  job.counter = counter;
  job.counts = true;
  job.first_flags = kChunkStart;
  job.last_flags = kChunkEnd;
  compress_all(bytes.data(), kChunkBytes, full, job, values.data());
  if (full < values.size())
    values.back() = compress_chunk(bytes.subspan(full * kChunkBytes), counter + full, 0);
  return join(std::move(values), root_flag);
}

}  // namespace

std::size_t limit_digest_lanes(std::size_t lanes) {
  kernel() = choose_kernel(lanes);
  return kernel().lanes;
}

Digest digest_of(ByteView bytes) {
  PieceDigest pieces(bytes.size());
  for (std::size_t i = 0; i < pieces.pieces(); ++i)
    pieces.take(i, bytes.subspan(pieces.offset(i), pieces.length(i)));
  return pieces.digest();
}

std::string to_hex(const Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

PieceDigest::PieceDigest(std::uint64_t size)
    : size_(size),
      values_(std::max<std::uint64_t>(1, size / kPieceBytes + (size % kPieceBytes != 0 ? 1 : 0))) {}

std::size_t PieceDigest::length(std::size_t index) const {
  return static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, size_ - offset(index)));
}

void PieceDigest::take(std::size_t index, ByteView piece) {
  if (piece.size() != length(index))
    fail(ErrorCode::kInternal, "a piece of {} bytes, not {}", piece.size(), length(index));
  values_[index] =
      tree_value(piece, std::uint64_t{index} * (kPieceBytes / kChunkBytes), pieces() == 1 ? kRoot : 0);
}

Digest PieceDigest::digest() const {
  return join(values_, kRoot);
}

}  // namespace sealite
