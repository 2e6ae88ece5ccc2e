#include "model/card.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "model/embedded_cards.h"

namespace sealite::model {
namespace {

// A card is a page of text; anything larger is no card.
constexpr std::size_t kMaxCardBytes = 1U << 20U;
// Far above every real model, and small enough that no product of them overflows 64 bits.
constexpr std::int64_t kMaxDimension = 1 << 20;
constexpr std::size_t kMaxListLength = 64;

// One mapping of the YAML, with its path for errors. Keys that are absent give the default.
class Section {
 public:
  Section(const YAML::Node& node, std::string path) : node_(node), path_(std::move(path)) {
    if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap())
      fail(ErrorCode::kMalformed, "{} is not a mapping", path_.empty() ? "the text" : "'" + path_ + "'");
  }
  Section child(const std::string& key) const {
    return {lookup(key), path_.empty() ? key : path_ + "." + key};
  }
  bool has(const std::string& key) const { return lookup(key).IsDefined(); }
  bool empty() const { return !node_.IsDefined() || node_.IsNull(); }

  template <typename T>
  T get(const std::string& key, T fallback) const {
    const YAML::Node value = lookup(key);
    if (!value.IsDefined() || value.IsNull()) return fallback;
    try {
      return value.as<T>();
    } catch (const YAML::Exception&) {
      fail(ErrorCode::kMalformed, "'{}.{}' is not of the expected kind", path_, key);
    }
  }
  std::int64_t dimension(const std::string& key, std::int64_t fallback) const {
    return check(key, get<std::int64_t>(key, fallback));
  }
  std::vector<std::int64_t> dimensions(const std::string& key, std::vector<std::int64_t> fallback) const {
    auto list = get(key, std::move(fallback));
    if (list.empty() || list.size() > kMaxListLength) {
      fail(ErrorCode::kMalformed, "'{}.{}' has {} entries", path_, key, list.size());
    }
    for (const std::int64_t value : list) check(key, value);
    return list;
  }

 private:
  YAML::Node lookup(const std::string& key) const {
    // The const operator[] does not insert the key.
    if (empty()) return YAML::Node(YAML::NodeType::Undefined);
    const YAML::Node& map = node_;
    return map[key];
  }
  std::int64_t check(const std::string& key, std::int64_t value) const {
    if (value < 1 || value > kMaxDimension) {
      fail(ErrorCode::kMalformed, "'{}.{}' is {}, expected 1 to {}", path_, key, value, kMaxDimension);
    }
    return value;
  }

  YAML::Node node_;
  std::string path_;
};

UpscaleType parse_upscale_type(const std::string& text) {
  if (text == "bilinear") return UpscaleType::kBilinear;
  if (text == "nearest") return UpscaleType::kNearest;
  if (text == "conv") return UpscaleType::kConv;
  if (text == "pixelshuffle") return UpscaleType::kPixelShuffle;
  fail(ErrorCode::kUnsupported, "upscale_type '{}' is none of bilinear, nearest, conv, pixelshuffle", text);
}

DetectorCard parse_detector(const Section& extractor, std::int64_t bits) {
  DetectorCard card;
  card.model = extractor.get<std::string>("model", "");
  const Section params = extractor.child("params");
  const Section encoder = params.child("encoder");
  card.depths = encoder.dimensions("depths", {3, 3, 9, 3});
  card.dims = encoder.dimensions("dims", {96, 192, 384, 768});
  card.stem_stride = encoder.dimension("stem_stride", 4);
  if (params.get("proportional_dim", false)) {
    // videoseal models/extractor.py: dims grow with the square root of the message, 128 bits being the base.
    for (std::int64_t& dim : card.dims) {
      dim =
          static_cast<std::int64_t>(static_cast<double>(dim) * std::sqrt(static_cast<double>(bits) / 128.0));
      if (dim < 1) fail(ErrorCode::kMalformed, "proportional_dim leaves a stage without channels");
    }
  }
  if (card.dims.size() != card.depths.size()) {
    fail(ErrorCode::kMalformed, "'depths' has {} stages, 'dims' {}", card.depths.size(), card.dims.size());
  }
  const Section decoder = params.child("pixel_decoder");
  card.pixel_decoder.pixelwise = decoder.get("pixelwise", false);
  card.pixel_decoder.sigmoid_output = decoder.get("sigmoid_output", false);
  card.pixel_decoder.upscale_type = parse_upscale_type(decoder.get<std::string>("upscale_type", "bilinear"));
  card.pixel_decoder.upscale_stages = decoder.dimensions("upscale_stages", {1});
  return card;
}

EmbedderCard parse_embedder(const Section& embedder) {
  EmbedderCard card;
  card.present = !embedder.empty();
  card.model = embedder.get<std::string>("model", "");
  const Section unet = embedder.child("params").child("unet");
  card.in_channels = unet.dimension("in_channels", 3);
  card.out_channels = unet.dimension("out_channels", 3);
  card.z_channels = unet.dimension("z_channels", 16);
  card.z_channels_mults = unet.dimensions("z_channels_mults", {1, 2, 4, 8});
  card.num_blocks = unet.dimension("num_blocks", 8);
  card.activation = unet.get<std::string>("activation", "relu");
  card.normalization = unet.get<std::string>("normalization", "batch");
  card.last_tanh = unet.get("last_tanh", true);
  return card;
}

Card parse(std::string_view name, std::string_view yaml) {
  const Section root(YAML::Load(std::string(yaml)), "");
  const Section args = root.child("args");
  const Section extractor = root.child("extractor");
  if (args.empty() || extractor.empty()) {
    fail(ErrorCode::kMalformed, "no model card: it needs the sections 'args' and 'extractor'");
  }
  Card card;
  card.name = name;
  card.bits = args.dimension("nbits", 0);
  card.image_size = args.dimension(args.has("img_size_proc") ? "img_size_proc" : "img_size_extractor", 256);
  const auto hidden = args.get("hidden_size_multiplier", 2.0) * static_cast<double>(card.bits);
  if (!(hidden >= 0 && hidden <= static_cast<double>(kMaxDimension))) {
    fail(ErrorCode::kMalformed, "'args.hidden_size_multiplier' is out of range");
  }
  card.hidden_size = static_cast<std::int64_t>(hidden);
  card.attenuation = args.get<std::string>("attenuation", "none");
  card.scaling_w = args.get("scaling_w", 1.0);
  card.scaling_i = args.get("scaling_i", 1.0);
  card.detector = parse_detector(extractor, card.bits);
  card.embedder = parse_embedder(root.child("embedder"));
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

std::vector<std::string> card_names() {
  std::vector<std::string> names;
  for (const EmbeddedCard& card : embedded_cards()) names.emplace_back(card.name);
  return names;
}

Card load_card(const std::string& name_or_file) {
  const auto cards = embedded_cards();
  const auto found = std::ranges::find(cards, name_or_file, &EmbeddedCard::name);
  if (found != cards.end()) return parse_card(found->name, found->yaml);
  const std::filesystem::path path(name_or_file);
  if (!std::filesystem::exists(path)) {
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
