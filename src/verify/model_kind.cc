#include "verify/model_kind.h"

namespace sealite::verify {

const ModelKind& kind_of(Part part) {
  return part == Part::kEmbedder ? embedder_kind() : detector_kind();
}

}  // namespace sealite::verify
