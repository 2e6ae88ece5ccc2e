#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "model_file/metadata.h"
#include "model_file/reader.h"
#include "sealite/convert.h"
#include "watermark/mark.h"

namespace sealite::verify {

/// The model under examination.
struct Subject {
  std::shared_ptr<const model_file::ModelFile> file;  ///< Every check is of these bytes.
  model_file::ModelInfo info;
  std::optional<model_file::Metadata> claims;  ///< Its metadata; another converter's model has none.
  std::string precision;        ///< By the types in which its weights are stored, whatever it claims.
  Part part = Part::kDetector;  ///< By its signature, else as claimed.
  /// The signature to run: "detect" or "embed"; nullptr if there is none.
  const model_file::ModelSignature* signature() const;
};

/// How an embedder's metadata says that it marks; nothing if it does not say, or says what is not known.
std::optional<watermark::Marking> claims_marking(const model_file::Metadata& claims);

/// Reads the file. Throws kNotFound and kMalformed.
Subject read_subject(const std::filesystem::path& path);

}  // namespace sealite::verify
