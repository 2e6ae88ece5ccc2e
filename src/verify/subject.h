#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "model_file/reader.h"
#include "pixels/jnd.h"
#include "sealite/convert.h"

namespace sealite::verify {

/// How an embedder's delta is put into a picture.
struct Marking {
  std::optional<pixels::JndVariant> jnd;  ///< None: not attenuated.
  double scaling_w = 1;
  double scaling_i = 1;
};

/// What a model's metadata claims about it ("sealite" in the file; another converter's has none).
struct Claims {
  std::string card;
  std::string part;
  std::int64_t bits = 0;
  std::int64_t image_size = 0;
  std::string layout;
  std::string precision;
  std::string checkpoint_hash;
  std::optional<Marking> marking;  ///< An embedder's, if it is complete.
};

/// The model under examination.
struct Subject {
  std::shared_ptr<const model_file::ModelFile> file;  ///< Every check is of these bytes.
  model_file::ModelInfo info;
  std::optional<Claims> claims;
  std::string precision;        ///< By the types in which its weights are stored, whatever it claims.
  Part part = Part::kDetector;  ///< By its signature, else as claimed.
  /// The signature to run: "detect" or "embed"; nullptr if there is none.
  const model_file::ModelSignature* signature() const;
};

/// Reads the file. Throws kNotFound and kMalformed.
Subject read_subject(const std::filesystem::path& path);

}  // namespace sealite::verify
