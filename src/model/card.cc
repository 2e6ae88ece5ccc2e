#include "model/card.h"

#include <algorithm>
#include <filesystem>

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "model/card_section.h"
#include "model/embedded_cards.h"
#include "model/network.h"

namespace sealite::model {
namespace {

// A card is a page of text; anything larger is no card.
constexpr std::size_t kMaxCardBytes = 1U << 20U;

UpscaleType parse_upscale_type(const std::string& text) {
  if (text == "bilinear") return UpscaleType::kBilinear;
  if (text == "nearest") return UpscaleType::kNearest;
  if (text == "conv") return UpscaleType::kConv;
  if (text == "pixelshuffle") return UpscaleType::kPixelShuffle;
  fail(ErrorCode::kUnsupported, "upscale_type '{}' is none of bilinear, nearest, conv, pixelshuffle", text);
}

DetectorCard parse_detector(const CardSection& extractor, const Card& card) {
  DetectorCard detector;
  detector.model = extractor.get<std::string>("model", "");
  const CardSection params = extractor.child("params");
  if (const DetectorArchitecture* architecture = find_detector(detector.model))
    detector.encoder = architecture->read_card(params, card);
  const CardSection decoder = params.child("pixel_decoder");
  detector.pixel_decoder.pixelwise = decoder.get("pixelwise", false);
  detector.pixel_decoder.sigmoid_output = decoder.get("sigmoid_output", false);
  detector.pixel_decoder.upscale_type =
      parse_upscale_type(decoder.get<std::string>("upscale_type", "bilinear"));
  detector.pixel_decoder.upscale_stages = decoder.dimensions("upscale_stages", {1});
  return detector;
}

EmbedderCard parse_embedder(const CardSection& section, const Card& card) {
  EmbedderCard embedder;
  embedder.present = !section.empty();
  embedder.model = section.get<std::string>("model", "");
  const CardSection params = section.child("params");
  if (const EmbedderArchitecture* architecture = find_embedder(embedder.model))
    embedder.network = architecture->read_card(params, card);
  return embedder;
}

Card parse(std::string_view name, std::string_view yaml) {
  const CardSection root(YAML::Load(std::string(yaml)), "");
  const CardSection args = root.child("args");
  const CardSection extractor = root.child("extractor");
  if (args.empty() || extractor.empty()) {
    fail(ErrorCode::kMalformed, "no model card: it needs the sections 'args' and 'extractor'");
  }
  Card card;
  card.name = name;
  card.bits = args.dimension("nbits", 0);
  card.image_size = args.dimension(args.has("img_size_proc") ? "img_size_proc" : "img_size_extractor", 256);
  const auto hidden = args.get("hidden_size_multiplier", 2.0) * static_cast<double>(card.bits);
  if (!(hidden >= 0 && hidden <= static_cast<double>(CardSection::kMaxDimension))) {
    fail(ErrorCode::kMalformed, "'args.hidden_size_multiplier' is out of range");
  }
  card.hidden_size = static_cast<std::int64_t>(hidden);
  card.attenuation = attenuation_name(args.get<std::string>("attenuation", "none"));
  card.scaling_w = args.get("scaling_w", 1.0);
  card.scaling_i = args.get("scaling_i", 1.0);
  card.detector = parse_detector(extractor, card);
  card.embedder = parse_embedder(root.child("embedder"), card);
  return card;
}

}  // namespace

Card parse_card(std::string_view name, std::string_view yaml) {
  return add_context(fmt::format("card '{}'", name), [&] {
    if (yaml.size() > kMaxCardBytes) {
      fail(ErrorCode::kMalformed, "{} bytes are no model card, expected at most {}", yaml.size(),
           kMaxCardBytes);
    }
    try {
      return parse(name, yaml);
    } catch (const YAML::Exception& error) {
      fail(ErrorCode::kMalformed, "not valid YAML: {}", error.what());
    }
  });
}

std::string attenuation_name(const std::string& text) {
  return text == "None" || text == "null" || text.empty() ? "none" : text;
}

std::vector<std::string> card_names() {
  std::vector<std::string> names;
  for (const EmbeddedCard& card : embedded_cards()) names.emplace_back(card.name);
  return names;
}

Card load_card(const std::string& name_or_file) {
  const auto cards = embedded_cards();
  // The reference's own short name (videoseal/__init__.py: load).
  const std::string name_of_card = name_or_file == "videoseal" ? "videoseal_1.0" : name_or_file;
  const auto found = std::ranges::find(cards, name_of_card, &EmbeddedCard::name);
  if (found != cards.end()) return parse_card(found->name, found->yaml);
  const std::filesystem::path path(name_or_file);
  if (!std::filesystem::exists(path)) {
    const bool named_a_file =
        path.has_parent_path() || path.extension() == ".yaml" || path.extension() == ".yml";
    if (named_a_file) {
      fail(ErrorCode::kNotFound, "no card file '{}'; without one there are the cards {}", name_or_file,
           fmt::join(card_names(), ", "));
    }
    fail(ErrorCode::kNotFound, "no card '{}': give a YAML file's path or one of {}", name_or_file,
         fmt::join(card_names(), ", "));
  }
  const MappedFile file(path);
  std::string name = path.stem().string();
  // "demo.card.yaml" is the card of "demo".
  if (name.ends_with(".card")) name.resize(name.size() - 5);
  return parse_card(name, as_text(file.bytes()));
}

}  // namespace sealite::model
