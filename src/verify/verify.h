#pragma once

#include "sealite/verify.h"
#include "verify/examination.h"

namespace sealite::verify {

/// `verify_model` with somebody else's reader of picture files.
VerifyReport examine_model(const std::filesystem::path& model, const VerifyOptions& options,
                           const pixels::PictureReader& read_picture);

}  // namespace sealite::verify
