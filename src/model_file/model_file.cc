#include "model_file/model_file.h"

#include <algorithm>

#include "base/error.h"

namespace sealite::model_file {

ModelFile::ModelFile(MappedFile file) : file_(std::make_shared<const MappedFile>(std::move(file))) {
  // Offsets in a flatbuffer are 32 bits: what lies beyond is weights placed outside.
  const std::size_t size = std::min<std::size_t>(file_->size(), FLATBUFFERS_MAX_BUFFER_SIZE - 1);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(file_->bytes().data());
  if (size < 8 || !tfl::ModelBufferHasIdentifier(bytes)) malformed("it does not start with a TFL3 header");
  flatbuffers::Verifier verifier(bytes, size);
  if (!tfl::VerifyModelBuffer(verifier)) malformed("its tables are broken or cut off");
  model_ = tfl::GetModel(bytes);
  find_buffers();
}

void ModelFile::find_buffers() {
  if (count_of(model_->buffers()) == 0) malformed("the model has no buffers");
  for (const tfl::Buffer* buffer : *model_->buffers()) {
    ByteView bytes;
    if (buffer->offset() > 1) {
      if (count_of(buffer->data()) > 0) malformed("a weight lies both in the tables and outside");
      const auto end = checked_add(buffer->offset(), buffer->size());
      if (!end || *end > file_->size()) {
        malformed(fmt::format("a weight lies at {} + {}, the file has {} bytes: it was cut off",
                              buffer->offset(), buffer->size(), file_->size()));
      }
      bytes = file_->bytes().subspan(buffer->offset(), buffer->size());
      weights_outside_ = true;
    } else if (buffer->data() != nullptr) {
      bytes = std::as_bytes(std::span(buffer->data()->data(), buffer->data()->size()));
    }
    buffers_.push_back(bytes);
  }
}

void ModelFile::malformed(const std::string& what) const {
  fail(ErrorCode::kMalformed, "'{}' is no sound .tflite file: {}", file_->path().string(), what);
}

std::optional<DType> to_dtype(tfl::TensorType type) {
  switch (type) {
    case tfl::TensorType::FLOAT32:
      return DType::kFloat32;
    case tfl::TensorType::FLOAT16:
      return DType::kFloat16;
    case tfl::TensorType::BFLOAT16:
      return DType::kBFloat16;
    case tfl::TensorType::INT64:
      return DType::kInt64;
    case tfl::TensorType::INT32:
      return DType::kInt32;
    case tfl::TensorType::INT8:
      return DType::kInt8;
    case tfl::TensorType::UINT8:
      return DType::kUInt8;
    case tfl::TensorType::BOOL:
      return DType::kBool;
    case tfl::TensorType::INT4:
      return DType::kInt4;
    default:
      return std::nullopt;
  }
}

tfl::BuiltinOperator builtin_of(const tfl::OperatorCode& code) {
  return static_cast<tfl::BuiltinOperator>(
      std::max(static_cast<std::int32_t>(code.builtin_code()),
               static_cast<std::int32_t>(code.deprecated_builtin_code())));
}

std::string text_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : text->str();
}

}  // namespace sealite::model_file
