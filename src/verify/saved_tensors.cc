#include "verify/saved_tensors.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace sealite::verify {

checkpoint::NumpyArray SavedTensors::array(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (auto array = checkpoint::read_numpy(path_, name)) return std::move(*array);
  }
  fail(ErrorCode::kUsage,
       "'{}' holds no array '{}'; save a detector's with numpy.savez(\"reference.npz\", images=x.numpy(), "
       "logits=y.numpy(), torch_version=torch.__version__), an embedder's with images=x.numpy(), "
       "messages=m.numpy(), delta=d.numpy(); x [N,3,H,W] in [0,1], m [N,bits] of 0 and 1",
       path_.string(), fmt::join(names, "' or '"));
}

std::string SavedTensors::origin() const {
  const std::optional<std::string> version = checkpoint::read_numpy_text(path_, "torch_version");
  const std::string name = path_.filename().string();
  if (!version) return fmt::format("the tensors in '{}', which does not say what saved them", name);
  const bool plain = !version->empty() && std::ranges::all_of(*version, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '+' || c == '-';
  });
  if (!plain) fail(ErrorCode::kMalformed, "'{}': `torch_version` is no version", path_.string());
  return fmt::format("tensors saved from PyTorch {}", *version);
}

}  // namespace sealite::verify
