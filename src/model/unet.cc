// The embedders' U-Net with a message in its bottleneck (videoseal modules/unet.py, msg_processor.py):
// chunkyseal, pixelseal, videoseal_1.0, videoseal_0.0.
#include "model/unet.h"

#include <array>
#include <numbers>

#include <fmt/ranges.h>

#include "base/error.h"
#include "model/layers.h"
#include "model/message_embedding.h"
#include "model/network.h"

namespace sealite::model {
namespace {

using namespace graph;

constexpr float kBatchNormEpsilon = 1e-5F;
constexpr float kLayerNormEpsilon = 1e-6F;
const std::string kUnetRoot = "embedder.unet.";
const std::string kEmbeddings = "msg_processor.msg_embeddings.weight";

void add_batch_norm(ParameterList& list, const std::string& name, std::int64_t channels) {
  list.norm(name, channels);
  list.add({name + ".running_mean", {channels}, 0, 0.2F, DType::kFloat32, "", true});
  list.add({name + ".running_var", {channels}, 1, 0.5F, DType::kFloat32, "", true});
  list.add({name + ".num_batches_tracked", {}, 1, 0, DType::kInt64, "", true});
}

// A ResnetBlock's normalisation (videoseal modules/common.py: get_normalization).
struct Normalization {
  std::string_view name;  // as cards have it, up to a suffix
  void (*add_parameters)(ParameterList& list, const std::string& name, std::int64_t channels);
  ValueId (*build)(Builder& builder, const Weights& weights, const std::string& name, ValueId x);
};

constexpr Normalization kNormalizations[] = {
    {"batch", add_batch_norm,
     [](Builder& builder, const Weights& weights, const std::string& name, ValueId x) {
       return batch_norm(builder, weights, name, x, kBatchNormEpsilon);
     }},
    {"rms",
     [](ParameterList& list, const std::string& name, std::int64_t channels) {
       list.add({name + ".gamma", {channels, 1, 1}, 1, 0.3F});
     },
     channel_rms_norm},
    {"group",
     [](ParameterList& list, const std::string& name, std::int64_t channels) { list.norm(name, channels); },
     group_norm},
    {"layer",
     [](ParameterList& list, const std::string& name, std::int64_t channels) { list.norm(name, channels); },
     [](Builder& builder, const Weights& weights, const std::string& name, ValueId x) {
       return layer_norm(builder, weights, name, x, kLayerNormEpsilon);
     }}};

// Likewise get_activation.
struct ActivationLayer {
  std::string_view name;
  ValueId (*build)(Builder& builder, const std::string& name, ValueId x);
};

constexpr ActivationLayer kActivations[] = {
    {"relu", [](Builder& builder, const std::string& name,
                ValueId x) { return builder.unary(name, UnaryKind::kRelu, x); }},
    {"gelu", [](Builder& builder, const std::string& name,
                ValueId x) { return builder.unary(name, UnaryKind::kGelu, x); }},
    {"leakyrelu", [](Builder& builder, const std::string& name,
                     ValueId x) { return builder.add(name, LeakyRelu{0.2F}, {x}); }},
    {"silu", [](Builder& builder, const std::string& name, ValueId x) {
       const ValueId gate = builder.unary(name + ".sigmoid", UnaryKind::kLogistic, x);
       return builder.binary(name, BinaryKind::kMul, x, gate);
     }}};

template <typename Table, typename Matches>
const auto& row_of(const Table& table, const Card& card, std::string_view what, const std::string& wanted,
                   Matches matches) {
  std::vector<std::string_view> names;
  for (const auto& row : table) {
    if (matches(row.name)) return row;
    names.push_back(row.name);
  }
  if (wanted.empty()) {
    fail(ErrorCode::kMismatch, "'{}' does not tell its embedder's {}; give --card ({} or a YAML file)",
         card.name, what, fmt::join(card_names(), ", "));
  }
  fail(ErrorCode::kUnsupported, "card '{}': embedder {} '{}' is none of {}", card.name, what, wanted,
       fmt::join(names, ", "));
}

const Normalization& normalization_of(const Card& card) {
  const std::string& wanted = card.embedder.normalization;
  return row_of(kNormalizations, card, "normalisation", wanted,
                [&](std::string_view name) { return wanted.starts_with(name); });
}

const ActivationLayer& activation_of(const Card& card) {
  const std::string& wanted = card.embedder.activation;
  return row_of(kActivations, card, "activation", wanted,
                [&](std::string_view name) { return wanted == name; });
}

void add_resnet_block(ParameterList& list, const Normalization& norm, const std::string& name,
                      std::int64_t in, std::int64_t out) {
  list.linear(name + "double_conv.0", {out, in, 3, 3}, false);
  norm.add_parameters(list, name + "double_conv.1", out);
  list.linear(name + "double_conv.3", {out, out, 3, 3}, false);
  norm.add_parameters(list, name + "double_conv.4", out);
  list.linear(name + "res_conv", {out, in, 1, 1});
}

class UNet : public EmbedderNetwork {
 public:
  explicit UNet(const Card& card) : card_(card) {}

  // Without what is not read: the counters of batch normalisation, and the embeddings' second name.
  std::vector<Parameter> parameters() const override {
    std::vector<Parameter> parameters = unet_parameters(card_);
    std::erase_if(parameters, [](const Parameter& parameter) {
      return parameter.type != DType::kFloat32 || !parameter.same_storage_as.empty();
    });
    return parameters;
  }

  std::int64_t bits() const override { return card_.bits; }

  ValueId build(const Weights& weights, Builder& builder, ValueId image, ValueId message) const override {
    const Modules modules(card_, weights, builder);
    ValueId x = to_signed_range(builder, image);
    if (card_.embedder.in_channels == 1) x = luma(builder, x);
    x = modules.resnet_block(kUnetRoot + "inc.", x);
    std::vector<ValueId> skips = {x};
    for (std::size_t i = 0; i + 1 < card_.embedder.z_channels_mults.size(); ++i) {
      x = modules.down(fmt::format("{}downs.{}.", kUnetRoot, i), x);
      skips.push_back(x);
    }
    x = skips.back() = modules.append_message(x, message);
    for (std::int64_t i = 0; i < card_.embedder.num_blocks; ++i)
      x = modules.resnet_block(fmt::format("{}bottleneck.model.{}.", kUnetRoot, i), x);
    // The last latents, with the message, are the first skip; the picture's own size has none.
    for (std::size_t i = 0; skips.size() > 1; ++i) {
      x = modules.up(fmt::format("{}ups.{}.", kUnetRoot, i), x, skips.back());
      skips.pop_back();
    }
    x = pointwise_conv2d(builder, weights, kUnetRoot + "outc", x);
    return card_.embedder.last_tanh ? builder.unary(kUnetRoot + "tanh", UnaryKind::kTanh, x) : x;
  }

 private:
  // The reference code's modules, each under its name there.
  class Modules {
   public:
    Modules(const Card& card, const Weights& weights, Builder& builder)
        : norm_(normalization_of(card)),
          activation_(activation_of(card)),
          weights_(weights),
          builder_(builder) {}

    ValueId resnet_block(const std::string& name, ValueId x) const {
      ValueId y = x;
      for (const auto& [conv, norm, act] : {std::array{"0", "1", "2"}, std::array{"3", "4", "5"}}) {
        const std::string part = name + "double_conv.";
        y = conv2d(builder_, weights_, part + conv, y, 1, Padding::kSame, false);
        y = norm_.build(builder_, weights_, part + norm, y);
        y = activation_.build(builder_, part + act, y);
      }
      return builder_.binary(name + "sum", BinaryKind::kAdd, y,
                             pointwise_conv2d(builder_, weights_, name + "res_conv", x));
    }

    ValueId down(const std::string& name, ValueId x) const {
      x = builder_.add(name + "pad", ZeroPad{}, {x});
      x = conv2d(builder_, weights_, name + "down", x, 2, Padding::kValid);
      return resnet_block(name + "conv.", x);
    }

    ValueId up(const std::string& name, ValueId x, ValueId skip) const {
      const std::string block = name + "up.upsample_block.";
      const ValueId scale = builder_.constant(name + "connect_scale", {}, {std::numbers::sqrt2_v<float> / 2});
      skip = builder_.binary(name + "skip", BinaryKind::kMul, skip, scale);
      x = builder_.add(name + "concat", Concatenation{3}, {x, skip});
      const Shape& shape = builder_.shape(x);
      const std::int64_t height = 2 * shape[1];
      const std::int64_t width = 2 * shape[2];
      x = builder_.add(block + "0", ResizeBilinear{height, width}, {x});
      x = builder_.add(block + "1", ReflectionPad{1}, {x});
      x = conv2d(builder_, weights_, block + "2", x, 1, Padding::kValid, false);
      x = layer_norm(builder_, weights_, block + "3", x, kLayerNormEpsilon);
      x = activation_.build(builder_, block + "4", x);
      return resnet_block(name + "conv.", x);
    }

    // The embedded message behind the latents' channels, the same in every pixel: a product with ones, since
    // BROADCAST_TO is not delegated.
    ValueId append_message(ValueId latents, ValueId message) const {
      const SourcePtr embeddings = weights_.source(kUnetRoot + kEmbeddings);
      const std::string name = kUnetRoot + "message";
      const ValueId filter = builder_.constant(name + ".weight", message_filter(embeddings));
      const ValueId bias = builder_.constant(name + ".bias", message_bias(embeddings));
      ValueId e = builder_.add(name, FullyConnected{}, {message, filter, bias});
      e = builder_.add(name + ".pixel", Reshape{{-1, 1, 1, embeddings->shape()[1]}}, {e});
      const Shape& shape = builder_.shape(latents);
      const ValueId ones = builder_.constant(name + ".ones", filled({1, shape[1], shape[2], 1}, 1.0F));
      e = builder_.binary(name + ".repeated", BinaryKind::kMul, e, ones);
      return builder_.add(name + ".concat", Concatenation{3}, {latents, e});
    }

   private:
    const Normalization& norm_;
    const ActivationLayer& activation_;
    const Weights& weights_;
    Builder& builder_;
  };

  Card card_;
};

// What of a card `UNet` does not build. unet_parameters checks the normalisation.
void check_supported(const Card& card) {
  const EmbedderCard& embedder = card.embedder;
  activation_of(card);
  const auto picture = [](std::int64_t channels) { return channels == 1 || channels == 3; };
  if (!picture(embedder.in_channels) || !picture(embedder.out_channels)) {
    fail(ErrorCode::kUnsupported,
         "card '{}': an embedder from {} to {} channels; expected 1 (luma) or 3 (RGB)", card.name,
         embedder.in_channels, embedder.out_channels);
  }
}

}  // namespace

std::unique_ptr<EmbedderNetwork> make_unet(const Card& card) {
  if (!card.embedder.model.starts_with("unet")) return nullptr;
  unet_parameters(card);
  check_supported(card);
  return std::make_unique<UNet>(card);
}

std::vector<Parameter> unet_parameters(const Card& card) {
  const EmbedderCard& embedder = card.embedder;
  const Normalization& norm = normalization_of(card);
  std::vector<std::int64_t> z;
  for (const std::int64_t mult : embedder.z_channels_mults) z.push_back(embedder.z_channels * mult);
  ParameterList list;
  list.add({kUnetRoot + kEmbeddings, {2 * card.bits, card.hidden_size}, 0, 0.3F});
  add_resnet_block(list, norm, kUnetRoot + "inc.", embedder.in_channels, z[0]);
  for (std::size_t i = 0; i + 1 < z.size(); ++i) {
    const std::string name = fmt::format("{}downs.{}.", kUnetRoot, i);
    list.linear(name + "down", {z[i + 1], z[i], 3, 3});
    add_resnet_block(list, norm, name + "conv.", z[i + 1], z[i + 1]);
  }
  z.back() += card.hidden_size;
  for (std::int64_t i = 0; i < embedder.num_blocks; ++i) {
    add_resnet_block(list, norm, fmt::format("{}bottleneck.model.{}.", kUnetRoot, i), z.back(), z.back());
  }
  for (std::size_t up = 0; up + 1 < z.size(); ++up) {
    const std::size_t from = z.size() - 1 - up;
    const std::string name = fmt::format("{}ups.{}.", kUnetRoot, up);
    list.linear(name + "up.upsample_block.2", {z[from - 1], 2 * z[from], 3, 3}, false);
    list.norm(name + "up.upsample_block.3", z[from - 1]);
    add_resnet_block(list, norm, name + "conv.", z[from - 1], z[from - 1]);
  }
  list.linear(kUnetRoot + "outc", {embedder.out_channels, z[0], 1, 1});
  list.add({"embedder." + kEmbeddings,
            {2 * card.bits, card.hidden_size},
            0,
            0,
            DType::kFloat32,
            kUnetRoot + kEmbeddings});
  return list.take();
}

}  // namespace sealite::model
