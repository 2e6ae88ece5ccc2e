#pragma once

#include <bit>
#include <cstring>
#include <random>
#include <utility>

#include "graph/source.h"

namespace sealite {

/// Values of any type from a seed: floats and halves in [-1, 1), integers over their whole range.
class RandomSource : public graph::Source {
 public:
  RandomSource(DType type, Shape shape, std::uint64_t seed) : Source(type, std::move(shape)), seed_(seed) {}

  void read(graph::Rows rows, MutableByteView out) const override {
    const std::uint64_t row_bytes = bytes_per_row();
    for (std::int64_t row = rows.begin; row < rows.end; ++row)
      read_row(row,
               out.subspan(static_cast<std::size_t>(static_cast<std::uint64_t>(row - rows.begin) * row_bytes),
                           static_cast<std::size_t>(row_bytes)));
  }

 private:
  void read_row(std::int64_t row, MutableByteView out) const {
    std::mt19937_64 random(seed_ + static_cast<std::uint64_t>(row));
    const std::size_t step = type() == DType::kFloat32 ? 4 : type() == DType::kFloat16 ? 2 : 1;
    for (std::size_t at = 0; at + step <= out.size(); at += step) {
      const std::uint64_t bits = random();
      const float value = static_cast<float>(static_cast<std::int64_t>(bits) >> 40U) * 0x1p-23F;
      if (type() == DType::kFloat32) {
        std::memcpy(&out[at], &value, sizeof value);
      } else if (type() == DType::kFloat16) {
        const std::uint16_t half = float_to_half(value);
        std::memcpy(&out[at], &half, sizeof half);
      } else {
        out[at] = static_cast<std::byte>(bits & 0xFFU);
      }
    }
  }

  std::uint64_t seed_;
};

}  // namespace sealite
