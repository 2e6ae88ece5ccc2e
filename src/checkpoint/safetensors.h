#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "checkpoint/checkpoint.h"

namespace sealite::checkpoint {

/// Bytes of the header's length, with which a safetensors file begins.
inline constexpr std::uint64_t kSafetensorsLengthSize = 8;
/// The reference implementation's limit on the header, in bytes.
inline constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;

/// Whether `file` starts like a safetensors file: a header length and a '{'.
bool is_safetensors(ByteView file);

/// Reads a safetensors file as huggingface/safetensors does: a header of at most 100 MB, tensors that cover
/// the data without holes or overlaps. The views look into `file`. Throws kMalformed, or kUnsupported for an
/// element type that Sealite does not read.
Contents read_safetensors(ByteView file);

}  // namespace sealite::checkpoint
