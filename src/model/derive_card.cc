#include "model/derive_card.h"

#include <algorithm>
#include <charconv>

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/network.h"
#include "model/weights.h"

namespace sealite::model {
namespace {

using checkpoint::Checkpoint;

// What the file does not say has a default; what it says and nobody can read has none.
std::string arg(const Checkpoint& checkpoint, std::string_view key, const std::string& fallback) {
  const auto found = checkpoint.args().find(key);
  if (found != checkpoint.args().end()) return found->second;
  if (!checkpoint.opaque_args().empty()) {
    fail(ErrorCode::kUnsupported,
         "its args are an object, '{}', which only its own code could read; give --card ({} or a YAML file)",
         printable(checkpoint.opaque_args()), fmt::join(card_names(), ", "));
  }
  if (std::ranges::find(checkpoint.dropped_args(), key) != checkpoint.dropped_args().end()) {
    fail(ErrorCode::kUnsupported,
         "args: '{}' is an object that only code could read; give --card ({} or a YAML file)", key,
         fmt::join(card_names(), ", "));
  }
  return fallback;
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

// Upscale factors from the channels: each stage divides them by its factor.
void derive_pixel_decoder(const Checkpoint& checkpoint, std::int64_t channels, DetectorCard& card) {
  PixelDecoderCard& decoder = card.pixel_decoder;
  const std::string root = "detector.pixel_decoder.";
  decoder.upscale_stages.clear();
  for (int stage = 0;; ++stage) {
    const auto block = fmt::format("{}output_upscaling.{}.upsample_block.", root, stage);
    std::int64_t out = 0;
    if (checkpoint.find(block + "2.weight") != nullptr && checkpoint.find(block + "0.weight") == nullptr) {
      out = required_shape(checkpoint, block + "2.weight", 4)[0];
    } else if (checkpoint.find(block + "0.bias") != nullptr) {
      decoder.upscale_type = UpscaleType::kConv;
      out = required_shape(checkpoint, block + "0.weight", 4)[1];
    } else if (checkpoint.find(block + "0.weight") != nullptr) {
      // out * f^2 rows with out = channels / f, so rows = channels * f.
      decoder.upscale_type = UpscaleType::kPixelShuffle;
      const std::int64_t rows = required_shape(checkpoint, block + "0.weight", 4)[0];
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

void derive_embedder(const Checkpoint& checkpoint, const EmbedderArchitecture& architecture, Card& card) {
  EmbedderCard& embedder = card.embedder;
  embedder.present = true;
  embedder.model = arg(checkpoint, "embedder_model", "");
  DerivedEmbedder derived = architecture.derive(checkpoint, embedder.model);
  embedder.network = std::move(derived.network);
  // A file that does not say its model's name has the tensors of this kind.
  if (find_embedder(embedder.model) != &architecture) embedder.model = architecture.models;
  card.hidden_size = derived.hidden_size;
  if (card.bits == 0) card.bits = derived.bits;
  // Products of these are computed before they are compared with the tensors.
  const auto sane = [](std::int64_t value) { return value >= 1 && value <= CardSection::kMaxDimension; };
  if (!sane(card.bits))
    fail(ErrorCode::kMismatch, "'{}': the embedder's sizes are out of range", checkpoint.path().string());
}

bool has_part(const Checkpoint& checkpoint, std::string_view prefix) {
  return std::ranges::any_of(checkpoint.tensors(),
                             [&](const auto& tensor) { return tensor.first.starts_with(prefix); });
}

void derive_detector(const Checkpoint& checkpoint, Card& card) {
  card.detector.model = arg(checkpoint, "extractor_model", "");
  const DetectorArchitecture* architecture = find_detector(checkpoint);
  if (architecture == nullptr) {
    fail(ErrorCode::kMismatch,
         "'{}' has no detector of a kind that can be read without a card; give --card ({} or a YAML file)",
         checkpoint.path().string(), fmt::join(card_names(), ", "));
  }
  DerivedEncoder derived = architecture->derive(checkpoint, card.detector.model);
  card.detector.encoder = std::move(derived.encoder);
  // A file that does not say its model's name has the tensors of this kind.
  if (find_detector(card.detector.model) != architecture) card.detector.model = architecture->models;
  derive_pixel_decoder(checkpoint, derived.channels, card.detector);
  const std::string linear = "detector.pixel_decoder.linear.weight";
  card.bits = required_shape(checkpoint, linear, card.detector.pixel_decoder.pixelwise ? 4 : 2)[0] - 1;
}

bool same_tensors(const Card& a, const Card& b) {
  const auto shapes = [](const Card& card) {
    std::vector<std::pair<std::string, Shape>> list;
    for (Parameter& parameter : make_detector(card)->parameters())
      list.emplace_back(std::move(parameter.name), std::move(parameter.shape));
    return list;
  };
  return shapes(a) == shapes(b);
}

// The compiled-in card that says the same, so that a file called anything is known by its model's name.
std::string known_name(const Card& derived, const std::string& embedder_model) {
  for (const std::string& name : card_names()) {
    const Card card = load_card(name);
    if (card.bits == derived.bits && card.detector.model == derived.detector.model &&
        card.embedder.model == embedder_model && same_tensors(card, derived))
      return name;
  }
  return derived.name;
}

}  // namespace

Card derive_card(const Checkpoint& checkpoint) {
  Card card;
  card.name = checkpoint.path().stem().string();
  const EmbedderArchitecture* embedder = find_embedder(checkpoint);
  // A file with an embedder alone has no detector to derive; `convert` says so if one is asked for.
  if (embedder == nullptr || has_part(checkpoint, "detector.")) derive_detector(checkpoint, card);
  if (embedder != nullptr) derive_embedder(checkpoint, *embedder, card);
  const bool proc = checkpoint.args().contains("img_size_proc");
  card.image_size =
      static_cast<std::int64_t>(number(checkpoint, proc ? "img_size_proc" : "img_size_extractor", 256));
  if (card.image_size < 1 || card.image_size > 1 << 16) {
    fail(ErrorCode::kMalformed, "args: image size {} is out of range", card.image_size);
  }
  card.attenuation = attenuation_name(arg(checkpoint, "attenuation", "none"));
  card.scaling_w = number(checkpoint, "scaling_w", 1.0);
  card.scaling_i = number(checkpoint, "scaling_i", 1.0);
  card.name = known_name(card, arg(checkpoint, "embedder_model", ""));
  return card;
}

}  // namespace sealite::model
