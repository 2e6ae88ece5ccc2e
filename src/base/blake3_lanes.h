// BLAKE3's compression of LANES inputs side by side, one in each 32-bit lane of a vector. Included by
// digest.cc once for each width of vectors, with LANES defined, inside a namespace that has kStart and
// kOrder, and where the compiler may use the instructions for it. No pragma once, no templates: these would
// be compiled elsewhere.

using Lanes = std::uint32_t __attribute__((vector_size(4 * LANES)));
using Quad = std::uint32_t __attribute__((vector_size(16)));

#define SEALITE_INLINE __attribute__((always_inline)) inline

// In every 128 bits of the result: elements a, b, c, d of those of x (0 to 3) and y (LANES to LANES + 3).
#if LANES == 4
#define SEALITE_PICK(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d)
#elif LANES == 8
#define SEALITE_PICK(x, y, a, b, c, d) \
  __builtin_shufflevector(x, y, a, b, c, d, (a) + 4, (b) + 4, (c) + 4, (d) + 4)
#else
#define SEALITE_PICK(x, y, a, b, c, d)                                                                     \
  __builtin_shufflevector(x, y, a, b, c, d, (a) + 4, (b) + 4, (c) + 4, (d) + 4, (a) + 8, (b) + 8, (c) + 8, \
                          (d) + 8, (a) + 12, (b) + 12, (c) + 12, (d) + 12)
#endif

// Sixteen bytes, at `offset`, of the inputs first, first + 4, first + 8, ...
SEALITE_INLINE Lanes load_quads(const std::byte* const* inputs, std::size_t first, std::size_t offset) {
  Quad quads[LANES / 4];
  for (std::size_t i = 0; i < LANES / 4; ++i) __builtin_memcpy(&quads[i], inputs[first + 4 * i] + offset, 16);
#if LANES == 4
  return quads[0];
#elif LANES == 8
  return __builtin_shufflevector(quads[0], quads[1], 0, 1, 2, 3, 4, 5, 6, 7);
#else
  const auto low = __builtin_shufflevector(quads[0], quads[1], 0, 1, 2, 3, 4, 5, 6, 7);
  const auto high = __builtin_shufflevector(quads[2], quads[3], 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
}

// Words 4 * quad to 4 * quad + 3 of a block: one vector for each word, lane l of input l.
SEALITE_INLINE void load_words(const std::byte* const* inputs, std::size_t offset, Lanes* words) {
  const Lanes a = load_quads(inputs, 0, offset);
  const Lanes b = load_quads(inputs, 1, offset);
  const Lanes c = load_quads(inputs, 2, offset);
  const Lanes d = load_quads(inputs, 3, offset);
  const Lanes ab_low = SEALITE_PICK(a, b, 0, LANES, 1, LANES + 1);
  const Lanes ab_high = SEALITE_PICK(a, b, 2, LANES + 2, 3, LANES + 3);
  const Lanes cd_low = SEALITE_PICK(c, d, 0, LANES, 1, LANES + 1);
  const Lanes cd_high = SEALITE_PICK(c, d, 2, LANES + 2, 3, LANES + 3);
  words[0] = SEALITE_PICK(ab_low, cd_low, 0, 1, LANES, LANES + 1);
  words[1] = SEALITE_PICK(ab_low, cd_low, 2, 3, LANES + 2, LANES + 3);
  words[2] = SEALITE_PICK(ab_high, cd_high, 0, 1, LANES, LANES + 1);
  words[3] = SEALITE_PICK(ab_high, cd_high, 2, 3, LANES + 2, LANES + 3);
}

SEALITE_INLINE Lanes rotate_right(Lanes x, unsigned bits) {
  return (x >> bits) | (x << (32 - bits));
}

SEALITE_INLINE void mix(Lanes* v, std::size_t a, std::size_t b, std::size_t c, std::size_t d, Lanes x,
                        Lanes y) {
  v[a] = v[a] + v[b] + x;
  v[d] = rotate_right(v[d] ^ v[a], 16);
  v[c] = v[c] + v[d];
  v[b] = rotate_right(v[b] ^ v[c], 12);
  v[a] = v[a] + v[b] + y;
  v[d] = rotate_right(v[d] ^ v[a], 8);
  v[c] = v[c] + v[d];
  v[b] = rotate_right(v[b] ^ v[c], 7);
}

SEALITE_INLINE void mix_round(Lanes* v, const Lanes* m, const std::uint8_t* order) {
  mix(v, 0, 4, 8, 12, m[order[0]], m[order[1]]);
  mix(v, 1, 5, 9, 13, m[order[2]], m[order[3]]);
  mix(v, 2, 6, 10, 14, m[order[4]], m[order[5]]);
  mix(v, 3, 7, 11, 15, m[order[6]], m[order[7]]);
  mix(v, 0, 5, 10, 15, m[order[8]], m[order[9]]);
  mix(v, 1, 6, 11, 12, m[order[10]], m[order[11]]);
  mix(v, 2, 7, 8, 13, m[order[12]], m[order[13]]);
  mix(v, 3, 4, 9, 14, m[order[14]], m[order[15]]);
}

// The chaining values, one after the other, of LANES inputs of `blocks` times 64 bytes.
void compress_lanes(const std::byte* const* inputs, const Job& job, Digest* values) {
  Lanes value[8];
  for (std::size_t i = 0; i < 8; ++i) value[i] = Lanes{} + kStart[i];
  Lanes counter_low{};
  Lanes counter_high{};
  for (std::size_t lane = 0; lane < LANES; ++lane) {
    const std::uint64_t counter = job.counter + (job.counts ? lane : 0);
    counter_low[lane] = static_cast<std::uint32_t>(counter);
    counter_high[lane] = static_cast<std::uint32_t>(counter >> 32U);
  }
  for (std::size_t block = 0; block < job.blocks; ++block) {
    // The processor does not see so many streams coming: without this a large content takes half as long
    // again.
    if (job.counts) {
      for (std::size_t lane = 0; lane < LANES; ++lane)
        __builtin_prefetch(inputs[lane] + 64 * (block + LANES * job.blocks));
    }
    Lanes m[16];
    for (std::size_t quad = 0; quad < 4; ++quad) load_words(inputs, 64 * block + 16 * quad, &m[4 * quad]);
    std::uint32_t flags = job.flags;
    if (block == 0) flags |= job.first_flags;
    if (block + 1 == job.blocks) flags |= job.last_flags;
    Lanes v[16] = {value[0],
                   value[1],
                   value[2],
                   value[3],
                   value[4],
                   value[5],
                   value[6],
                   value[7],
                   Lanes{} + kStart[0],
                   Lanes{} + kStart[1],
                   Lanes{} + kStart[2],
                   Lanes{} + kStart[3],
                   counter_low,
                   counter_high,
                   Lanes{} + 64U,
                   Lanes{} + flags};
    mix_round(v, m, kOrder[0]);
    mix_round(v, m, kOrder[1]);
    mix_round(v, m, kOrder[2]);
    mix_round(v, m, kOrder[3]);
    mix_round(v, m, kOrder[4]);
    mix_round(v, m, kOrder[5]);
    mix_round(v, m, kOrder[6]);
    for (std::size_t i = 0; i < 8; ++i) value[i] = v[i] ^ v[i + 8];
  }
  for (std::size_t lane = 0; lane < LANES; ++lane) {
    std::uint32_t words[8];
    for (std::size_t i = 0; i < 8; ++i) words[i] = value[i][lane];
    __builtin_memcpy(values[lane].data(), words, 32);
  }
}

#undef SEALITE_PICK
#undef SEALITE_INLINE
