#pragma once

#include <any>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sealite::model {

/// How a pixel decoder stage enlarges its input (videoseal modules/common.py: Upsample).
enum class UpscaleType : std::uint8_t { kBilinear, kNearest, kConv, kPixelShuffle };

/// `extractor.params.pixel_decoder` of a card.
struct PixelDecoderCard {
  bool pixelwise = false;  // logits per pixel, no mean over H and W
  bool sigmoid_output = false;
  UpscaleType upscale_type = UpscaleType::kBilinear;
  std::vector<std::int64_t> upscale_stages = {1};
};

/// `extractor` of a card.
struct DetectorCard {
  std::string model;  // "convnext_tiny", "convnext_chunky", "sam_small", …
  std::any encoder;   // what its architecture's own file knows of it (network.h); empty: no detector
  PixelDecoderCard pixel_decoder;
};

/// `embedder` of a card.
struct EmbedderCard {
  std::string model;     // "unet_chunky", "unet_base_yuv_quant", …
  std::any network;      // what its architecture's own file knows of it (network.h); empty: unknown
  bool present = false;  // a detector-only card has no embedder
};

/// What a model card (YAML) says, checked and with the defaults of the reference code filled in: the
/// architecture's source of truth.
struct Card {
  std::string name;  // file stem or compiled-in name
  std::int64_t bits = 0;
  std::int64_t image_size = 256;
  std::int64_t hidden_size = 0;  // of the message embedding: int(bits * hidden_size_multiplier)
  std::string attenuation = "none";
  double scaling_w = 1.0;
  double scaling_i = 1.0;
  DetectorCard detector;
  EmbedderCard embedder;
};

/// Reads a card's YAML text. Throws kMalformed (not YAML, or a value of the wrong kind), kUnsupported (an
/// option that Sealite does not know) naming the key.
Card parse_card(std::string_view name, std::string_view yaml);

/// `name_or_file`: a compiled-in card's name, else a YAML file's path. Throws kNotFound listing the names
/// there are.
Card load_card(const std::string& name_or_file);

/// An attenuation's name as cards and checkpoints have it, where Python's None means "none".
std::string attenuation_name(const std::string& text);

/// Names of the compiled-in cards, for help and errors.
std::vector<std::string> card_names();

}  // namespace sealite::model
