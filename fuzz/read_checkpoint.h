#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "sealite/error.h"

/// Opens it, and reads a row and some elements of each tensor. Only Error may escape, and it is caught here.
inline void read_checkpoint(const std::filesystem::path& path) {
  using namespace sealite;
  try {
    const auto checkpoint = checkpoint::Checkpoint::open(path);
    for (const auto& [name, tensor] : checkpoint.tensors()) {
      try {
        std::uint64_t row = 1;
        for (std::size_t axis = 1; axis < tensor.shape.size(); ++axis)
          row *= static_cast<std::uint64_t>(tensor.shape[axis]);
        constexpr std::uint64_t kMost = 1 << 16;
        if (row > kMost || (!tensor.shape.empty() && tensor.shape[0] < 1)) continue;
        std::vector<float> values(row);
        checkpoint::read_rows(tensor, 0, 1, values);
        std::vector<std::byte> bytes(std::min<std::uint64_t>(row, 4) * 8);
        checkpoint::read_elements(tensor, 0, bytes);
      } catch (const Error&) {
      }
    }
  } catch (const Error&) {
  }
}
