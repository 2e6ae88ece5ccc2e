#include "model/derive_card.h"

#include <algorithm>
#include <charconv>

#include <fmt/ranges.h>

#include "base/error.h"

namespace sealite::model {
namespace {

using checkpoint::Checkpoint;

// What a model name implies that shapes do not tell: both strides have a 4x4 stem kernel.
struct KnownDetector {
  std::string_view model;
  std::int64_t stem_stride;
};
constexpr KnownDetector kKnownDetectors[] = {
    {"convnext_tiny", 4}, {"convnext_base", 4}, {"convnext_chunky", 2}};

// Likewise the activation of an embedder.
struct KnownEmbedder {
  std::string_view model;
  std::string_view activation;
};
constexpr KnownEmbedder kKnownEmbedders[] = {
    {"unet_chunky", "relu"},         {"unet_sweep_3", "relu"},
    {"unet_base_yuv_quant", "relu"}, {"unet_small2_yuv_quant", "relu"},
    {"unet_small2_quant", "relu"},   {"unet_tiny_yuv_quant", "relu"},
    {"unet_small2", "silu"}};

std::string arg(const Checkpoint& checkpoint, std::string_view key, const std::string& fallback) {
  const auto found = checkpoint.args().find(key);
  return found == checkpoint.args().end() ? fallback : found->second;
}

double number(const Checkpoint& checkpoint, std::string_view key, double fallback) {
  const std::string text = arg(checkpoint, key, "");
  if (text.empty()) return fallback;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(ErrorCode::kMalformed, "args: '{}' is '{}', expected a number", key, text);
  }
  return value;
}

const Shape& shape_of(const Checkpoint& checkpoint, const std::string& name, std::size_t rank) {
  const auto* tensor = checkpoint.find(name);
  if (tensor == nullptr || tensor->shape.size() != rank) {
    fail(ErrorCode::kMismatch,
         "'{}' has no tensor '{}' of rank {}: not a Seal model that can be read without a card; give --card "
         "({} or a YAML file)",
         checkpoint.path().string(), name, rank, fmt::join(card_names(), ", "));
  }
  return tensor->shape;
}

void derive_stages(const Checkpoint& checkpoint, DetectorCard& card) {
  constexpr int kStages = 4;
  for (int stage = 0; stage < kStages; ++stage) {
    const auto conv =
        fmt::format("detector.convnext.downsample_layers.{}.{}.weight", stage, stage == 0 ? 0 : 1);
    card.dims.push_back(shape_of(checkpoint, conv, 4)[0]);
    std::int64_t depth = 0;
    while (checkpoint.find(fmt::format("detector.convnext.stages.{}.{}.dwconv.weight", stage, depth)) !=
           nullptr)
      ++depth;
    if (depth == 0) fail(ErrorCode::kMismatch, "stage {} of the detector has no blocks", stage);
    card.depths.push_back(depth);
  }
}

// Upscale factors from the channels: each stage divides them by its factor.
void derive_pixel_decoder(const Checkpoint& checkpoint, DetectorCard& card) {
  PixelDecoderCard& decoder = card.pixel_decoder;
  const std::string root = "detector.pixel_decoder.";
  decoder.upscale_stages.clear();
  std::int64_t channels = card.dims.back();
  for (int stage = 0;; ++stage) {
    const auto block = fmt::format("{}output_upscaling.{}.upsample_block.", root, stage);
    std::int64_t out = 0;
    if (checkpoint.find(block + "2.weight") != nullptr && checkpoint.find(block + "0.weight") == nullptr) {
      out = shape_of(checkpoint, block + "2.weight", 4)[0];
    } else if (checkpoint.find(block + "0.bias") != nullptr) {
      decoder.upscale_type = UpscaleType::kConv;
      out = shape_of(checkpoint, block + "0.weight", 4)[1];
    } else if (checkpoint.find(block + "0.weight") != nullptr) {
      // out * f^2 rows with out = channels / f, so rows = channels * f.
      decoder.upscale_type = UpscaleType::kPixelShuffle;
      const std::int64_t rows = shape_of(checkpoint, block + "0.weight", 4)[0];
      out = rows > 0 && channels > 0 ? channels / std::max<std::int64_t>(1, rows / channels) : 0;
    } else {
      break;
    }
    if (out < 1 || out > channels)
      fail(ErrorCode::kMismatch, "'{}': {} channels after {}", block, out, channels);
    decoder.upscale_stages.push_back(channels / out);
    channels = out;
  }
  const auto* linear = checkpoint.find(root + "linear.weight");
  decoder.pixelwise = linear != nullptr && linear->shape.size() == 4;
}

// All from shapes but the activation, which the model's name implies.
void derive_embedder(const Checkpoint& checkpoint, Card& card) {
  const std::string root = "embedder.unet.";
  EmbedderCard& embedder = card.embedder;
  embedder.present = true;
  embedder.model = arg(checkpoint, "embedder_model", "");
  const Shape& embeddings = shape_of(checkpoint, root + "msg_processor.msg_embeddings.weight", 2);
  card.hidden_size = embeddings[1];
  if (card.bits == 0) card.bits = embeddings[0] / 2;
  const Shape& first = shape_of(checkpoint, root + "inc.double_conv.0.weight", 4);
  embedder.in_channels = first[1];
  embedder.out_channels = shape_of(checkpoint, root + "outc.weight", 4)[0];
  embedder.z_channels = 1;
  embedder.z_channels_mults = {first[0]};
  for (int level = 0;; ++level) {
    const auto* down = checkpoint.find(fmt::format("{}downs.{}.down.weight", root, level));
    if (down == nullptr || down->shape.empty()) break;
    embedder.z_channels_mults.push_back(down->shape[0]);
  }
  embedder.num_blocks = 0;
  while (checkpoint.find(
             fmt::format("{}bottleneck.model.{}.double_conv.0.weight", root, embedder.num_blocks)) != nullptr)
    ++embedder.num_blocks;
  // Products of these are computed before they are compared with the tensors.
  const auto sane = [](std::int64_t value) { return value >= 1 && value <= 1 << 20; };
  if (!sane(card.bits) || !sane(card.hidden_size) || !std::ranges::all_of(embedder.z_channels_mults, sane))
    fail(ErrorCode::kMismatch, "'{}': the embedder's sizes are out of range", checkpoint.path().string());
  const bool batch = checkpoint.find(root + "inc.double_conv.1.running_var") != nullptr;
  embedder.normalization = batch ? "batch" : "rms";
  embedder.activation.clear();
  for (const KnownEmbedder& known : kKnownEmbedders) {
    if (known.model == embedder.model) embedder.activation = known.activation;
  }
}

bool has_part(const Checkpoint& checkpoint, std::string_view prefix) {
  return std::ranges::any_of(checkpoint.tensors(),
                             [&](const auto& tensor) { return tensor.first.starts_with(prefix); });
}

void derive_detector(const Checkpoint& checkpoint, Card& card) {
  card.detector.model = arg(checkpoint, "extractor_model", "");
  derive_stages(checkpoint, card.detector);
  derive_pixel_decoder(checkpoint, card.detector);
  const std::string linear = "detector.pixel_decoder.linear.weight";
  card.bits = shape_of(checkpoint, linear, card.detector.pixel_decoder.pixelwise ? 4 : 2)[0] - 1;
  bool known = false;
  for (const KnownDetector& detector : kKnownDetectors) {
    if (detector.model != card.detector.model) continue;
    card.detector.stem_stride = detector.stem_stride;
    known = true;
  }
  if (!known) {
    fail(ErrorCode::kMismatch,
         "'{}' does not say how its detector's stem strides (args: extractor_model is '{}'); give --card ({} "
         "or a YAML file)",
         checkpoint.path().string(), card.detector.model, fmt::join(card_names(), ", "));
  }
}

// The compiled-in card that says the same, so that a file called anything is known by its model's name.
std::string known_name(const Card& derived, const std::string& embedder_model) {
  const DetectorCard& detector = derived.detector;
  for (const std::string& name : card_names()) {
    const Card card = load_card(name);
    if (card.bits == derived.bits && card.detector.dims == detector.dims &&
        card.detector.depths == detector.depths && card.detector.stem_stride == detector.stem_stride &&
        card.embedder.model == embedder_model) {
      return name;
    }
  }
  return derived.name;
}

}  // namespace

Card derive_card(const Checkpoint& checkpoint) {
  Card card;
  card.name = checkpoint.path().stem().string();
  const bool embedder = has_part(checkpoint, "embedder.unet.");
  // A file with an embedder alone has no detector to derive; `convert` says so if one is asked for.
  if (!embedder || has_part(checkpoint, "detector.")) derive_detector(checkpoint, card);
  if (embedder) derive_embedder(checkpoint, card);
  const bool proc = checkpoint.args().contains("img_size_proc");
  card.image_size =
      static_cast<std::int64_t>(number(checkpoint, proc ? "img_size_proc" : "img_size_extractor", 256));
  if (card.image_size < 1 || card.image_size > 1 << 16) {
    fail(ErrorCode::kMalformed, "args: image size {} is out of range", card.image_size);
  }
  card.attenuation = arg(checkpoint, "attenuation", "none");
  card.scaling_w = number(checkpoint, "scaling_w", 1.0);
  card.scaling_i = number(checkpoint, "scaling_i", 1.0);
  card.name = known_name(card, arg(checkpoint, "embedder_model", ""));
  return card;
}

}  // namespace sealite::model
