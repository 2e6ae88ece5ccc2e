#include "verify/subject.h"

#include <algorithm>

#include "base/error.h"
#include "graph/stored_precision.h"
#include "verify/model_kind.h"

namespace sealite::verify {
namespace {

// Of the weights that operators read: what nothing reads says nothing.
std::string stored_precision(const model_file::ModelInfo& info) {
  graph::StoredValues values;
  for (const model_file::ModelTensor& tensor : info.tensors) {
    const bool number = tensor.type == DType::kFloat32 || tensor.type == DType::kFloat16 ||
                        tensor.type == DType::kInt8 || tensor.type == DType::kInt4;
    if (number && tensor.read && tensor.weight_bytes > 0)
      values[tensor.type] += element_count(tensor.shape).value_or(0);
  }
  return std::string(graph::precision_of(values));
}

Part part_of(const Subject& subject) {
  const auto has = [&](Part part) {
    return std::ranges::count(subject.info.signatures, kind_of(part).names().signature,
                              &model_file::ModelSignature::key) > 0;
  };
  if (has(Part::kEmbedder)) return Part::kEmbedder;
  const bool claimed = subject.claims && subject.claims->part == kind_of(Part::kEmbedder).names().part;
  return claimed && !has(Part::kDetector) ? Part::kEmbedder : Part::kDetector;
}

}  // namespace

const model_file::ModelSignature* Subject::signature() const {
  const auto found =
      std::ranges::find(info.signatures, kind_of(part).names().signature, &model_file::ModelSignature::key);
  return found == info.signatures.end() ? nullptr : &*found;
}

std::optional<watermark::Marking> claims_marking(const model_file::Metadata& claims) {
  if (!claims.embedding) return std::nullopt;
  try {
    return watermark::marking_of(*claims.embedding);
  } catch (const Error&) {
    return std::nullopt;
  }
}

Subject read_subject(const std::filesystem::path& path) {
  Subject subject;
  subject.file = model_file::open_model(path);
  subject.info = model_file::read_model(*subject.file);
  subject.claims = model_file::read_metadata(subject.info);
  subject.precision = stored_precision(subject.info);
  subject.part = part_of(subject);
  return subject;
}

}  // namespace sealite::verify
