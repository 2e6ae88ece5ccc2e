#pragma once

#include <string>

#include "graph/builder.h"
#include "model/weights.h"

// The layers that networks share: each takes the PyTorch module's name, reads its tensors and adds NHWC
// nodes.
namespace sealite::model {

using graph::Builder;
using graph::ValueId;

/// nn.Conv2d: `name`.weight OIHW, `name`.bias if `bias`. `padding` is kSame only for stride 1, where it
/// equals PyTorch's k/2 on each side.
ValueId conv2d(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
               std::int64_t stride, graph::Padding padding, bool bias = true);

/// nn.Conv2d with groups = channels, stride 1, padding k/2.
ValueId depthwise_conv2d(Builder& builder, const Weights& weights, const std::string& name, ValueId x);

/// nn.Linear over the innermost axis.
ValueId linear(Builder& builder, const Weights& weights, const std::string& name, ValueId x);

/// LayerNorm over channels, biased variance.
ValueId layer_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
                   float epsilon);

/// `x * 2 - 1`, once (models.md §2).
ValueId to_signed_range(Builder& builder, ValueId image);

}  // namespace sealite::model
