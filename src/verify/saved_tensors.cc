#include "verify/saved_tensors.h"

#include <fmt/ranges.h>

#include "base/error.h"

namespace sealite::verify {

checkpoint::NumpyArray SavedTensors::array(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (auto array = checkpoint::read_numpy(path_, name)) return std::move(*array);
  }
  fail(ErrorCode::kUsage,
       "'{}' holds no array '{}'; save a detector's with numpy.savez(\"reference.npz\", images=x.numpy(), "
       "logits=y.numpy()), an embedder's with images=x.numpy(), messages=m.numpy(), delta=d.numpy(); x "
       "[N,3,H,W] in [0,1], m [N,bits] of 0 and 1",
       path_.string(), fmt::join(names, "' or '"));
}

}  // namespace sealite::verify
