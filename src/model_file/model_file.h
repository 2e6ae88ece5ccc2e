#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/mapped_file.h"
#include "graph/graph.h"
#include "model_file/reader.h"
#include "schema_generated.h"

namespace sealite::model_file {

/// A mapped .tflite file whose flatbuffer is sound and whose buffers all lie inside it. Indices between its
/// tables are not checked yet: `read_model` does that.
class ModelFile {
 public:
  /// The file is `MappedFile::settled`: what was checked is what is read later. Throws kNotFound, or
  /// kMalformed saying what is wrong.
  explicit ModelFile(MappedFile file);

  const tfl::Model& model() const { return *model_; }
  /// The buffers' bytes, whether they lie in the flatbuffer or outside; empty where there are none.
  const std::vector<ByteView>& buffers() const { return buffers_; }
  bool weights_outside() const { return weights_outside_; }
  std::uint64_t size() const { return file_->size(); }
  ByteView bytes() const { return file_->bytes(); }
  const std::filesystem::path& path() const { return file_->path(); }
  const std::shared_ptr<const MappedFile>& mapped() const { return file_; }

  /// Throws kMalformed: "'PATH' is no sound .tflite file: WHAT".
  [[noreturn]] void malformed(const std::string& what) const;

 private:
  void find_buffers();

  std::shared_ptr<const MappedFile> file_;
  const tfl::Model* model_ = nullptr;
  std::vector<ByteView> buffers_;
  bool weights_outside_ = false;
};

/// Nothing for types that Sealite does not know (strings, …).
std::optional<DType> to_dtype(tfl::TensorType type);

/// Old files have only the 8-bit field.
tfl::BuiltinOperator builtin_of(const tfl::OperatorCode& code);

std::string text_of(const flatbuffers::String* text);

template <typename T>
std::size_t count_of(const flatbuffers::Vector<T>* list) {
  return list == nullptr ? 0 : list->size();
}

}  // namespace sealite::model_file
