#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tflite/reader.h"

namespace sealite::verify {

/// What a model's metadata claims about it ("sealite" in the file; another converter's has none).
struct Claims {
  std::string card;
  std::string part;
  std::int64_t bits = 0;
  std::int64_t image_size = 0;
  std::string layout;
  std::string precision;
  std::string checkpoint_hash;
};

/// The model under examination.
struct Subject {
  std::filesystem::path path;
  tflite::ModelInfo info;
  std::optional<Claims> claims;
  std::string precision;  ///< As claimed, else by the types of its weights.
  /// The signature to run: "detect".
  const tflite::ModelSignature* signature() const;
};

/// Reads the file. Throws kNotFound and kMalformed.
Subject read_subject(const std::filesystem::path& path);

}  // namespace sealite::verify
