#pragma once

#include <string>

#include "graph/builder.h"
#include "model/weights.h"

// The layers that networks share: each takes the PyTorch module's name, reads its tensors and adds NHWC
// nodes. A convolution that reads the picture is marked as a stem.
namespace sealite::model {

using graph::Builder;
using graph::ValueId;

/// nn.Conv2d: `name`.weight OIHW, `name`.bias if `bias`. `padding` is kSame only for stride 1, where it
/// equals PyTorch's k/2 on each side.
ValueId conv2d(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
               std::int64_t stride, graph::Padding padding, bool bias = true);

/// nn.Conv2d with groups = channels, stride 1, padding k/2.
ValueId depthwise_conv2d(Builder& builder, const Weights& weights, const std::string& name, ValueId x);

/// nn.Conv2d with a 1x1 kernel, as a product over the channels: in integers the runtime then
/// measures the range of each pixel, not of the whole picture.
ValueId pointwise_conv2d(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
                         bool bias = true);

/// nn.Linear over the innermost axis.
ValueId linear(Builder& builder, const Weights& weights, const std::string& name, ValueId x);

/// LayerNorm over channels, biased variance.
ValueId layer_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
                   float epsilon);

/// nn.BatchNorm2d in eval mode: `name`.weight, .bias, .running_mean and .running_var.
ValueId batch_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
                   float epsilon);

/// ChanRMSNorm: `name`.gamma [C,1,1].
ValueId channel_rms_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x);

/// nn.GroupNorm with eight groups: `name`.weight and .bias.
ValueId group_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x);

/// Y = 0.299 R + 0.587 G + 0.114 B: [N,H,W,3] to [N,H,W,1]. The weights add up to 1, so it may come before or
/// after `to_signed_range`.
ValueId luma(Builder& builder, ValueId rgb);

/// `x * 2 - 1`, once (models.md §2).
ValueId to_signed_range(Builder& builder, ValueId image);

}  // namespace sealite::model
