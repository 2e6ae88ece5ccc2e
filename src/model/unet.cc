// The embedders' U-Net with a message in its bottleneck (videoseal modules/unet.py, msg_processor.py):
// chunkyseal, pixelseal, videoseal_1.0, videoseal_0.0.
#include "model/unet.h"

#include <algorithm>
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

std::string bottleneck_block(std::int64_t block) {
  return fmt::format("{}bottleneck.model.{}.", kUnetRoot, block);
}

// A ResnetBlock's normalisation (videoseal modules/common.py: get_normalization).
struct Normalization {
  std::string_view name;  // as cards have it, up to a suffix
  void (*add_parameters)(ParameterList& list, const std::string& name, std::int64_t channels);
  ValueId (*build)(Builder& builder, const Weights& weights, const std::string& name, ValueId x);
};

constexpr Normalization kNormalizations[] = {
    {"batch",
     [](ParameterList& list, const std::string& name, std::int64_t channels) {
       list.batch_norm(name, channels);
     },
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

// `wanted` is empty if a checkpoint did not tell.
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

const UNetCard& settings_of(const Card& card) {
  return std::any_cast<const UNetCard&>(card.embedder.network);
}

const Normalization& normalization_of(const Card& card) {
  const std::string& wanted = settings_of(card).normalization;
  return row_of(kNormalizations, card, "normalisation", wanted,
                [&](std::string_view name) { return wanted.starts_with(name); });
}

const ActivationLayer& activation_of(const Card& card) {
  const std::string& wanted = settings_of(card).activation;
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
  explicit UNet(const Card& card)
      : card_(settings_of(card)),
        norm_(normalization_of(card)),
        activation_(activation_of(card)),
        bits_(card.bits),
        hidden_size_(card.hidden_size) {}

  std::vector<Parameter> saved_parameters() const override;
  bool reads_luma() const override { return card_.in_channels == 1; }
  std::int64_t bits() const override { return bits_; }

  ValueId build(const Weights& weights, Builder& builder, ValueId image, ValueId message) const override {
    const Modules modules(norm_, activation_, weights, builder);
    ValueId x = to_signed_range(builder, image);
    if (reads_luma()) x = luma(builder, x);
    x = modules.resnet_block(kUnetRoot + "inc.", x);
    std::vector<ValueId> skips = {x};
    for (std::size_t i = 0; i + 1 < card_.z_channels_mults.size(); ++i) {
      x = modules.down(fmt::format("{}downs.{}.", kUnetRoot, i), x);
      skips.push_back(x);
    }
    x = skips.back() = modules.append_message(x, message);
    for (std::int64_t i = 0; i < card_.num_blocks; ++i) x = modules.resnet_block(bottleneck_block(i), x);
    // The last latents, with the message, are the first skip; the picture's own size has none.
    for (std::size_t i = 0; skips.size() > 1; ++i) {
      x = modules.up(fmt::format("{}ups.{}.", kUnetRoot, i), x, skips.back());
      skips.pop_back();
    }
    x = pointwise_conv2d(builder, weights, kUnetRoot + "outc", x);
    return card_.last_tanh ? builder.unary(kUnetRoot + "tanh", UnaryKind::kTanh, x) : x;
  }

 private:
  // The reference code's modules, each under its name there.
  class Modules {
   public:
    Modules(const Normalization& norm, const ActivationLayer& activation, const Weights& weights,
            Builder& builder)
        : norm_(norm), activation_(activation), weights_(weights), builder_(builder) {}

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
      e = builder_.marked(builder_.binary(name + ".repeated", BinaryKind::kMul, e, ones), Mark::kRepeated);
      return builder_.add(name + ".concat", Concatenation{3}, {latents, e});
    }

   private:
    const Normalization& norm_;
    const ActivationLayer& activation_;
    const Weights& weights_;
    Builder& builder_;
  };

  UNetCard card_;
  const Normalization& norm_;
  const ActivationLayer& activation_;
  std::int64_t bits_;
  std::int64_t hidden_size_;
};

std::vector<Parameter> UNet::saved_parameters() const {
  std::vector<std::int64_t> z;
  for (const std::int64_t mult : card_.z_channels_mults) z.push_back(card_.z_channels * mult);
  const Shape embeddings = {2 * bits_, hidden_size_};
  ParameterList list;
  list.add({kUnetRoot + kEmbeddings, embeddings, 0, 0.3F});
  add_resnet_block(list, norm_, kUnetRoot + "inc.", card_.in_channels, z[0]);
  for (std::size_t i = 0; i + 1 < z.size(); ++i) {
    const std::string name = fmt::format("{}downs.{}.", kUnetRoot, i);
    list.linear(name + "down", {z[i + 1], z[i], 3, 3});
    add_resnet_block(list, norm_, name + "conv.", z[i + 1], z[i + 1]);
  }
  z.back() += hidden_size_;
  for (std::int64_t i = 0; i < card_.num_blocks; ++i)
    add_resnet_block(list, norm_, bottleneck_block(i), z.back(), z.back());
  for (std::size_t up = 0; up + 1 < z.size(); ++up) {
    const std::size_t from = z.size() - 1 - up;
    const std::string name = fmt::format("{}ups.{}.", kUnetRoot, up);
    list.linear(name + "up.upsample_block.2", {z[from - 1], 2 * z[from], 3, 3}, false);
    list.norm(name + "up.upsample_block.3", z[from - 1]);
    add_resnet_block(list, norm_, name + "conv.", z[from - 1], z[from - 1]);
  }
  list.linear(kUnetRoot + "outc", {card_.out_channels, z[0], 1, 1});
  list.add({"embedder." + kEmbeddings, embeddings, 0, 0, DType::kFloat32, kUnetRoot + kEmbeddings});
  return list.take();
}

std::any read_unet_card(const CardSection& params, const Card& /*card*/) {
  const CardSection unet = params.child("unet");
  UNetCard card;
  card.in_channels = unet.dimension("in_channels", card.in_channels);
  card.out_channels = unet.dimension("out_channels", card.out_channels);
  card.z_channels = unet.dimension("z_channels", card.z_channels);
  card.z_channels_mults = unet.dimensions("z_channels_mults", {1, 2, 4, 8});
  card.num_blocks = unet.repeats("num_blocks", card.num_blocks);
  card.activation = unet.get<std::string>("activation", card.activation);
  card.normalization = unet.get<std::string>("normalization", card.normalization);
  card.last_tanh = unet.get("last_tanh", card.last_tanh);
  return card;
}

// What a model name implies that shapes do not tell.
struct KnownUNet {
  std::string_view model;
  std::string_view activation;
};
constexpr KnownUNet kKnownUNets[] = {{"unet_chunky", "relu"},         {"unet_sweep_3", "relu"},
                                     {"unet_base_yuv_quant", "relu"}, {"unet_small2_yuv_quant", "relu"},
                                     {"unet_small2_quant", "relu"},   {"unet_tiny_yuv_quant", "relu"},
                                     {"unet_small2", "silu"}};

// All from shapes but the activation, which the model's name implies, and some normalisations: what is empty
// then, `make` asks a card for.
DerivedEmbedder derive_unet(const checkpoint::Checkpoint& checkpoint, const std::string& model) {
  const Shape& embeddings = required_shape(checkpoint, kUnetRoot + kEmbeddings, 2);
  const Shape& first = required_shape(checkpoint, kUnetRoot + "inc.double_conv.0.weight", 4);
  UNetCard card;
  card.in_channels = first[1];
  card.out_channels = required_shape(checkpoint, kUnetRoot + "outc.weight", 4)[0];
  card.z_channels = 1;
  card.z_channels_mults = {first[0]};
  for (int level = 0;; ++level) {
    const auto* down = checkpoint.find(fmt::format("{}downs.{}.down.weight", kUnetRoot, level));
    if (down == nullptr || down->shape.empty()) break;
    card.z_channels_mults.push_back(down->shape[0]);
  }
  card.num_blocks = 0;
  while (checkpoint.find(bottleneck_block(card.num_blocks) + "double_conv.0.weight") != nullptr)
    ++card.num_blocks;
  const auto sane = [](std::int64_t value) { return value >= 1 && value <= CardSection::kMaxDimension; };
  if (!sane(embeddings[1]) || !std::ranges::all_of(card.z_channels_mults, sane))
    fail(ErrorCode::kMismatch, "'{}': the embedder's sizes are out of range", checkpoint.path().string());
  const std::string norm = kUnetRoot + "inc.double_conv.1.";
  card.normalization.clear();  // group and layer norms have the same tensors
  if (checkpoint.find(norm + "running_var") != nullptr) card.normalization = "batch";
  if (checkpoint.find(norm + "gamma") != nullptr) card.normalization = "rms";
  const auto* known = std::ranges::find(kKnownUNets, model, &KnownUNet::model);
  card.activation = known == std::end(kKnownUNets) ? "" : known->activation;
  return {std::move(card), embeddings[0] / 2, embeddings[1]};
}

std::unique_ptr<EmbedderNetwork> make_unet(const Card& card) {
  auto network = std::make_unique<UNet>(card);
  const UNetCard& unet = settings_of(card);
  const auto picture = [](std::int64_t channels) { return channels == 1 || channels == 3; };
  if (!picture(unet.in_channels) || !picture(unet.out_channels)) {
    fail(ErrorCode::kUnsupported,
         "card '{}': an embedder from {} to {} channels; expected 1 (luma) or 3 (RGB)", card.name,
         unet.in_channels, unet.out_channels);
  }
  return network;
}

}  // namespace

const EmbedderArchitecture kUNet = {"U-Net",        "unet",      "embedder.unet.",
                                    read_unet_card, derive_unet, make_unet};

}  // namespace sealite::model
