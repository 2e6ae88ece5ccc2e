#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file_descriptor.h"
#include "sealite/context.h"
#include "sealite/model_source.h"

namespace sealite::cli {

/// A model or checkpoint from the standard input, whole in memory: a file without a name.
class PipedModel {
 public:
  /// Reads to the end. Throws kIo, kUnsupported (over 16 GiB), kNoMemory, kMalformed (no bytes),
  /// kInterrupted.
  explicit PipedModel(const Context& context);
  ~PipedModel();
  PipedModel(const PipedModel&) = delete;
  PipedModel& operator=(const PipedModel&) = delete;
  PipedModel(PipedModel&&) = delete;
  PipedModel& operator=(PipedModel&&) = delete;

  /// As long as this lives. Errors call it "-".
  ModelSource source() const;
  /// A name for what wants one, as long as this lives.
  std::string path() const;

 private:
  FileDescriptor file_;
  MutableByteView bytes_;
};

/// The file that a command's word for a model names; "-" is the standard input, which `piped` then holds.
/// Throws kUsage if `pictures` have it too.
ModelSource model_source(const std::string& word, const std::vector<std::string>& pictures,
                         std::optional<PipedModel>& piped, const Context& context);

}  // namespace sealite::cli
