#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model_file/reader.h"

namespace sealite::model_file {

/// How an embedder's delta is put into a picture, as its model's card says it.
struct EmbeddingFacts {
  std::string attenuation;  ///< "none" or "jnd_A_B"
  double scaling_w = 1;     ///< Of the watermark, finite.
  double scaling_i = 1;     ///< Of the picture, finite.
  bool yuv = false;         ///< The delta is of the luma.

  friend bool operator==(const EmbeddingFacts&, const EmbeddingFacts&) = default;
};

/// What Sealite says of a model in its file: the metadata `sealite`, a JSON object (docs/file-format.md).
/// Whoever makes a file says what he likes in it: claims, not facts.
struct Metadata {
  std::string model;
  std::string part;
  std::int64_t bits = 0;
  std::int64_t image_size = 0;
  std::string layout;
  std::string precision;
  std::string sealite_version;
  std::string checkpoint_hash;
  std::optional<EmbeddingFacts> embedding;  ///< Of an embedder, if all of it is there.
  bool dynamic = false;
  std::vector<std::string> keep;
  std::string rounding;
  std::string calibration_hash;
  std::string stop_after;
};

inline constexpr const char* kMetadataName = "sealite";

/// The object's text: keys in the order above, what is empty is left out where it is an option.
std::string to_json(const Metadata& metadata);

/// Nothing if the file has none, or it is no JSON object. A value of another kind is as absent, a key that is
/// not ours is not looked at.
std::optional<Metadata> read_metadata(const ModelInfo& model);

}  // namespace sealite::model_file
