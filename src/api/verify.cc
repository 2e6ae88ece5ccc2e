#include "sealite/verify.h"

#include "api/file_reader.h"
#include "verify/verify.h"

namespace sealite {

VerifyReport verify_model(const std::filesystem::path& model, const VerifyOptions& options) {
  return verify::examine_model(model, options, file_reader());
}

}  // namespace sealite
