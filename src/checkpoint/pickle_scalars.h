#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// The number of a tensor without axes, as a kInt, kBool or kFloat node; nothing if it has none.
using ReadScalar = std::function<std::optional<Node>(const TensorRef& tensor)>;

/// Puts plain values in place of those under `root` (dicts, lists and tuples) that are one number in another
/// form: tensors without axes, NumPy's scalars, and the nodes of an OmegaConf configuration. What stays
/// opaque has no plain form.
void resolve_scalars(Pickle& pickle, NodeId root, const ReadScalar& read_tensor);

/// The little-endian number of NumPy's type `type` ("f8", "i4", "b1", …) in `bytes`; nothing for other types.
std::optional<Node> number_of(std::string_view type, ByteView bytes);

}  // namespace sealite::checkpoint
