// The vision transformer of videoseal_0.0 (videoseal modules/vit.py: ImageEncoderViT, "sam_small") with a
// pixel decoder: attention inside windows and over the whole picture, with decomposed relative positions.
#include "model/vit.h"

#include <algorithm>
#include <cmath>

#include "model/layers.h"
#include "model/network.h"
#include "model/pixel_decoder.h"

namespace sealite::model {
namespace {

using namespace graph;

constexpr float kBlockEpsilon = 1e-5F;  // nn.LayerNorm's own
constexpr float kNeckEpsilon = 1e-6F;
const std::string kVitRoot = "detector.image_encoder.";
// Added to a logit, it makes exp() exactly zero.
constexpr float kNever = -1e30F;

std::string vit_block(std::int64_t block) {
  return fmt::format("{}blocks.{}.", kVitRoot, block);
}

// Tokens stand in the order of their windows, and inside a window row by row, from the first block to the
// last: [N, windows, window^2, C]. Attention does not ask for an order, so no block moves anything, and a
// norm's output goes straight into the product behind it. What is beyond the picture, where windows do not
// divide it, is there too.
struct TokenOrder {
  TokenOrder(std::int64_t grid_side, std::int64_t window_side)
      : grid(grid_side), window(window_side), across((grid + window - 1) / window) {}

  std::int64_t padded() const { return across * window; }
  std::int64_t windows() const { return across * across; }
  bool is_padded() const { return padded() != grid; }
  // Row and column of token `index` of the whole picture.
  std::int64_t row(std::int64_t index) const {
    return index / (window * window) / across * window + index % (window * window) / window;
  }
  std::int64_t column(std::int64_t index) const {
    return index / (window * window) % across * window + index % window;
  }
  bool inside(std::int64_t index) const { return row(index) < grid && column(index) < grid; }

  std::int64_t grid;
  std::int64_t window;
  std::int64_t across;  // windows side by side
};

// What one block attends within: a window, or all of them.
struct Field {
  std::int64_t windows;  // in one field
  std::int64_t keys;     // rows, and columns, of keys
};

class Encoder {
 public:
  Encoder(const VitCard& card, const Weights& weights, Builder& builder)
      : card_(card), weights_(weights), builder_(builder), order_(card.grid, largest_window(card)) {}

  ValueId build(ValueId image) {
    ValueId x =
        conv2d(builder_, weights_, kVitRoot + "patch_embed.proj", image, card_.patch_size, Padding::kValid);
    if (card_.use_abs_pos) {
      const std::string name = kVitRoot + "pos_embed";
      x = builder_.binary(name + ".sum", BinaryKind::kAdd, x, builder_.constant(name, weights_.source(name)));
    }
    x = to_windows(x);
    for (std::int64_t i = 0; i < card_.depth; ++i) x = block(i, x);
    x = from_windows(x);
    x = pointwise_conv2d(builder_, weights_, kVitRoot + "neck.0", x, false);
    x = layer_norm(builder_, weights_, kVitRoot + "neck.1", x, kNeckEpsilon);
    x = conv2d(builder_, weights_, kVitRoot + "neck.2", x, 1, Padding::kSame, false);
    return layer_norm(builder_, weights_, kVitRoot + "neck.3", x, kNeckEpsilon);
  }

 private:
  static std::int64_t largest_window(const VitCard& card) {
    std::int64_t side = card.grid;
    for (std::int64_t i = 0; i < card.depth; ++i) {
      if (card.window(i) != card.grid) side = card.window(i);
    }
    return side;
  }

  ValueId reshape(const std::string& name, ValueId x, Shape shape) {
    return builder_.add(name, Reshape{std::move(shape)}, {x});
  }

  ValueId to_windows(ValueId x) {
    const std::string name = kVitRoot + "windows";
    const std::int64_t beyond = order_.padded() - order_.grid;
    if (beyond > 0) x = builder_.add(name + ".pad", ZeroPad{0, 0, beyond, beyond}, {x});
    x = reshape(name + ".rows", x, {-1, order_.window, order_.across, order_.window * card_.embed_dim});
    x = builder_.add(name + ".moved", Transpose{{0, 2, 1, 3}}, {x});
    return reshape(name, x, {-1, order_.windows(), order_.window * order_.window, card_.embed_dim});
  }

  ValueId from_windows(ValueId x) {
    const std::string name = kVitRoot + "pixels";
    x = reshape(name + ".rows", x, {-1, order_.across, order_.window, order_.window * card_.embed_dim});
    x = builder_.add(name + ".moved", Transpose{{0, 2, 1, 3}}, {x});
    x = reshape(name, x, {-1, order_.padded(), order_.padded(), card_.embed_dim});
    if (!order_.is_padded()) return x;
    return builder_.add(name + ".cropped", Slice{{0, 0, 0, 0}, {-1, order_.grid, order_.grid, -1}}, {x});
  }

  ValueId block(std::int64_t index, ValueId x) {
    const std::string name = vit_block(index);
    ValueId y = layer_norm(builder_, weights_, name + "norm1", x, kBlockEpsilon);
    const bool global = card_.window(index) == card_.grid;
    // The reference pads behind the norm: what is beyond the picture is zero there, and attended to.
    if (order_.is_padded() && !global)
      y = builder_.binary(name + "norm1.inside", BinaryKind::kMul, y,
                          inside(name, {1, order_.windows(), -1, 1}, 1, 0));
    y = attention(name + "attn.", y, global ? Field{order_.windows(), card_.grid} : Field{1, order_.window});
    x = builder_.binary(name + "attn.sum", BinaryKind::kAdd, x, y);
    y = layer_norm(builder_, weights_, name + "norm2", x, kBlockEpsilon);
    y = linear(builder_, weights_, name + "mlp.lin1", y);
    y = builder_.unary(name + "mlp.act", UnaryKind::kGelu, y);
    y = linear(builder_, weights_, name + "mlp.lin2", y);
    return builder_.binary(name + "mlp.sum", BinaryKind::kAdd, x, y);
  }

  // A constant with one value for tokens of the picture and another beyond it.
  ValueId inside(const std::string& name, Shape shape, float within, float beyond) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < order_.padded() * order_.padded(); ++i)
      values.push_back(order_.inside(i) ? within : beyond);
    std::ranges::replace(shape, -1, order_.window * order_.window);
    return builder_.constant(name + "inside", std::move(shape), std::move(values));
  }

  ValueId attention(const std::string& name, ValueId x, const Field& field) {
    const std::int64_t heads = card_.num_heads;
    const std::int64_t width = card_.embed_dim / heads;
    const std::int64_t tokens = field.windows * order_.window * order_.window;
    ValueId qkv = scaled_qkv(name + "qkv", x, width);
    qkv = reshape(name + "heads", qkv, {-1, tokens, 3 * heads, width});
    qkv = builder_.add(name + "heads.moved", Transpose{{0, 2, 1, 3}}, {qkv});
    const auto part = [&](const char* which, std::int64_t first) {
      return builder_.add(name + which, Slice{{0, first, 0, 0}, {-1, heads, -1, -1}}, {qkv});
    };
    const ValueId q = part("q", 0);
    ValueId logits = builder_.add(name + "logits", BatchMatMul{true}, {q, part("k", heads)});
    if (card_.use_rel_pos) {
      logits = builder_.binary(name + "positioned", BinaryKind::kAdd, logits, relative(name, q, field));
    }
    if (field.windows > 1 && order_.is_padded()) {
      logits = builder_.binary(name + "logits.inside", BinaryKind::kAdd, logits,
                               inside(name, {1, 1, 1, tokens}, 0, kNever));
    }
    const ValueId weights = builder_.add(name + "softmax", Softmax{}, {logits});
    ValueId y = builder_.add(name + "values", BatchMatMul{}, {weights, part("v", 2 * heads)});
    y = builder_.add(name + "values.moved", Transpose{{0, 2, 1, 3}}, {y});
    y = reshape(name + "joined", y, {-1, order_.windows(), order_.window * order_.window, card_.embed_dim});
    return linear(builder_, weights_, name + "proj", y);
  }

  // Queries come out multiplied by width^-0.5.
  ValueId scaled_qkv(const std::string& name, ValueId x, std::int64_t width) {
    const SourcePtr filter = weights_.source(name + ".weight");
    std::vector<float> factors(static_cast<std::size_t>(3 * card_.embed_dim), 1.0F);
    std::fill_n(factors.begin(), card_.embed_dim, 1.0F / std::sqrt(static_cast<float>(width)));
    std::vector<float> bias(factors.size(), 0.0F);
    if (card_.qkv_bias) bias = read_floats(*weights_.source(name + ".bias"));
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] *= factors[i];
    const Shape bias_shape = {3 * card_.embed_dim};
    return builder_.add(name, FullyConnected{},
                        {x, builder_.constant(name + ".weight", scaled_rows(filter, std::move(factors))),
                         builder_.constant(name + ".bias", bias_shape, std::move(bias))});
  }

  // To the logit of query (h,w) and key (kh,kw): q · R_h[h - kh] + q · R_w[w - kw], q without its scale. For
  // each query that is one number for each row of keys and one for each column; a product with ones and zeros
  // hands them to the keys.
  ValueId relative(const std::string& name, ValueId q, const Field& field) {
    const std::int64_t side = order_.window;
    const std::int64_t width = card_.embed_dim / card_.num_heads;
    const std::int64_t heads = card_.num_heads;
    // A line of a window is a group: its queries share a row of the picture.
    const std::int64_t groups = field.windows * side;
    const std::int64_t tokens = groups * side;
    const ValueId by_row = reshape(name + "q.rows", q, {-1, groups, side, width});
    ValueId rows =
        builder_.add(name + "rel_h", BatchMatMul{}, {by_row, table(name + "rel_pos_h", field, true)});
    rows = reshape(name + "rel_h.tokens", rows, {-1, heads, tokens, field.keys});
    ValueId by_column = reshape(name + "q.lines", q, {-1, side, side, width});
    by_column = builder_.add(name + "q.turned", Transpose{{0, 2, 1, 3}}, {by_column});
    by_column = reshape(name + "q.columns", by_column, {-1, groups, side, width});
    ValueId columns =
        builder_.add(name + "rel_w", BatchMatMul{}, {by_column, table(name + "rel_pos_w", field, false)});
    columns = reshape(name + "rel_w.lines", columns, {-1, side, side, field.keys});
    columns = builder_.add(name + "rel_w.turned", Transpose{{0, 2, 1, 3}}, {columns});
    columns = reshape(name + "rel_w.tokens", columns, {-1, heads, tokens, field.keys});
    const ValueId both = builder_.add(name + "rel", Concatenation{3}, {rows, columns});
    return builder_.add(name + "rel.logits", BatchMatMul{}, {both, places(field)});
  }

  // [1, groups, width, keys]: for the queries of a group, which share a row (or a column), the table's vector
  // for each row (or column) of keys, over the scale that the queries have.
  ValueId table(const std::string& name, const Field& field, bool rows) {
    const std::int64_t width = card_.embed_dim / card_.num_heads;
    const std::int64_t side = order_.window;
    const float scale = std::sqrt(static_cast<float>(width));
    const std::vector<float> vectors = read_floats(*weights_.source(name));
    std::vector<float> values;
    for (std::int64_t group = 0; group < field.windows * side; ++group) {
      // Turned windows have their columns as lines.
      const std::int64_t window = group / side * side * side;
      const std::int64_t place =
          rows ? order_.row(window + group % side * side) : order_.column(window + group % side);
      for (std::int64_t c = 0; c < width; ++c) {
        for (std::int64_t key = 0; key < field.keys; ++key) {
          // Beyond the picture nothing is read of the result.
          const std::int64_t distance = std::min(place - key + field.keys - 1, 2 * field.keys - 2);
          values.push_back(vectors[static_cast<std::size_t>(distance * width + c)] * scale);
        }
      }
    }
    return builder_.constant(name, {1, field.windows * side, width, field.keys}, std::move(values));
  }

  // [1, 1, 2 * keys, tokens]: 1 where the token is in that row, or in that column.
  ValueId places(const Field& field) {
    std::optional<ValueId>& made = field.windows > 1 ? all_places_ : window_places_;
    if (made) return *made;
    const std::int64_t tokens = field.windows * order_.window * order_.window;
    std::vector<float> values(static_cast<std::size_t>(2 * field.keys * tokens), 0.0F);
    for (std::int64_t i = 0; i < tokens; ++i) {
      if (field.windows > 1 && !order_.inside(i)) continue;
      values[static_cast<std::size_t>(order_.row(i) * tokens + i)] = 1;
      values[static_cast<std::size_t>((field.keys + order_.column(i)) * tokens + i)] = 1;
    }
    const std::string name = kVitRoot + (field.windows > 1 ? "places" : "window_places");
    made = builder_.constant(name, {1, 1, 2 * field.keys, tokens}, std::move(values));
    return *made;
  }

  const VitCard& card_;
  const Weights& weights_;
  Builder& builder_;
  TokenOrder order_;
  std::optional<ValueId> window_places_;
  std::optional<ValueId> all_places_;
};

class Vit : public DetectorNetwork {
 public:
  explicit Vit(const Card& card)
      : card_(std::any_cast<const VitCard&>(card.detector.encoder)),
        decoder_(card.detector.pixel_decoder),
        bits_(card.bits) {}

  std::vector<Parameter> parameters() const override {
    const std::int64_t dim = card_.embed_dim;
    ParameterList list;
    if (card_.use_abs_pos) list.add({kVitRoot + "pos_embed", {1, card_.grid, card_.grid, dim}, 0, 0.5F});
    list.linear(kVitRoot + "patch_embed.proj", {dim, 3, card_.patch_size, card_.patch_size});
    for (std::int64_t i = 0; i < card_.depth; ++i) add_block(list, i);
    list.linear(kVitRoot + "neck.0", {card_.out_chans, dim, 1, 1}, false);
    list.norm(kVitRoot + "neck.1", card_.out_chans);
    list.linear(kVitRoot + "neck.2", {card_.out_chans, card_.out_chans, 3, 3}, false);
    list.norm(kVitRoot + "neck.3", card_.out_chans);
    add_pixel_decoder_parameters(list, decoder_, card_.out_chans, bits_);
    return list.take();
  }

  // Every place has its own trained vector, and the reference code refuses other sizes too.
  bool reads_any_size() const override { return false; }

  ValueId build(const Weights& weights, Builder& builder, ValueId image) const override {
    const Shape& shape = builder.shape(image);
    const std::int64_t side = card_.grid * card_.patch_size;
    if (shape[1] != side || shape[2] != side) {
      fail(ErrorCode::kUnsupported,
           "this network reads pictures of {0}x{0} pixels only, because its position tables are trained for "
           "them; leave --image-size out (detect resizes pictures itself)",
           side);
    }
    const ValueId x = to_signed_range(builder, image);
    return build_pixel_decoder(builder, weights, decoder_, Encoder(card_, weights, builder).build(x));
  }

 private:
  void add_block(ParameterList& list, std::int64_t index) const {
    const std::string name = vit_block(index);
    const std::int64_t dim = card_.embed_dim;
    list.norm(name + "norm1", dim);
    if (card_.use_rel_pos) {
      for (const char* axis : {"h", "w"}) {
        const Shape table = {2 * card_.window(index) - 1, dim / card_.num_heads};
        list.add({fmt::format("{}attn.rel_pos_{}", name, axis), table, 0, 0.2F});
      }
    }
    list.linear(name + "attn.qkv", {3 * dim, dim}, card_.qkv_bias);
    list.linear(name + "attn.proj", {dim, dim});
    list.norm(name + "norm2", dim);
    list.linear(name + "mlp.lin1", {card_.mlp_dim, dim});
    list.linear(name + "mlp.lin2", {dim, card_.mlp_dim});
  }

  VitCard card_;
  PixelDecoderCard decoder_;
  std::int64_t bits_;
};

void check(const VitCard& card) {
  if (card.embed_dim % card.num_heads != 0)
    fail(ErrorCode::kMalformed, "embed_dim {} is no multiple of num_heads {}", card.embed_dim,
         card.num_heads);
  constexpr std::int64_t kMaxSide = 256;
  if (card.grid < 1 || card.grid > kMaxSide)
    fail(ErrorCode::kMalformed, "{} patches on a side of the picture, expected 1 to {}", card.grid, kMaxSide);
  if (card.window_size > card.grid)
    fail(ErrorCode::kUnsupported, "a window of {} patches in a picture of {}", card.window_size, card.grid);
}

std::any read_vit_card(const CardSection& params, const Card& card) {
  const CardSection encoder = params.child("encoder");
  VitCard vit;
  vit.embed_dim = encoder.dimension("embed_dim", vit.embed_dim);
  vit.out_chans = encoder.dimension("out_chans", vit.out_chans);
  vit.depth = encoder.repeats("depth", vit.depth);
  vit.num_heads = encoder.dimension("num_heads", vit.num_heads);
  vit.patch_size = encoder.dimension("patch_size", vit.patch_size);
  vit.grid = card.image_size / vit.patch_size;
  const double mlp_dim = static_cast<double>(vit.embed_dim) * encoder.get("mlp_ratio", 4.0);
  if (!(mlp_dim >= 1 && mlp_dim <= static_cast<double>(CardSection::kMaxDimension)))
    fail(ErrorCode::kMalformed, "'mlp_ratio' is out of range");
  vit.mlp_dim = static_cast<std::int64_t>(mlp_dim);
  if (encoder.get<std::int64_t>("window_size", 0) != 0) vit.window_size = encoder.dimension("window_size", 1);
  vit.global_attn_indexes = encoder.get<std::vector<std::int64_t>>("global_attn_indexes", {});
  vit.qkv_bias = encoder.get("qkv_bias", true);
  vit.use_abs_pos = encoder.get("use_abs_pos", true);
  vit.use_rel_pos = encoder.get("use_rel_pos", false);
  if (encoder.get("temporal_attention", false))
    fail(ErrorCode::kUnsupported, "temporal_attention: a detector that reads several frames at once");
  check(vit);
  return vit;
}

// Tables of relative positions tell how many heads and which windows there are.
DerivedEncoder derive_vit(const checkpoint::Checkpoint& checkpoint, const std::string& /*model*/) {
  VitCard card;
  const Shape& patch = required_shape(checkpoint, kVitRoot + "patch_embed.proj.weight", 4);
  card.embed_dim = patch[0];
  card.patch_size = patch[2];
  card.grid = required_shape(checkpoint, kVitRoot + "pos_embed", 4)[1];
  card.out_chans = required_shape(checkpoint, kVitRoot + "neck.0.weight", 4)[0];
  card.mlp_dim = required_shape(checkpoint, vit_block(0) + "mlp.lin1.weight", 2)[0];
  card.qkv_bias = checkpoint.find(vit_block(0) + "attn.qkv.bias") != nullptr;
  card.use_rel_pos = true;
  for (card.depth = 0; checkpoint.find(vit_block(card.depth) + "norm1.weight") != nullptr; ++card.depth) {
    const Shape& table = required_shape(checkpoint, vit_block(card.depth) + "attn.rel_pos_h", 2);
    if (table[1] < 1 || table[1] > card.embed_dim)
      fail(ErrorCode::kMismatch, "'{}attn.rel_pos_h' is {}", vit_block(card.depth), to_string(table));
    card.num_heads = card.embed_dim / table[1];
    const std::int64_t window = (table[0] + 1) / 2;
    if (window == card.grid) {
      card.global_attn_indexes.push_back(card.depth);
    } else {
      card.window_size = window;
    }
  }
  const auto sane = [](std::int64_t value) { return value >= 1 && value <= CardSection::kMaxDimension; };
  if (!std::ranges::all_of(std::array{card.embed_dim, card.patch_size, card.out_chans, card.mlp_dim}, sane))
    fail(ErrorCode::kMismatch, "'{}': the detector's sizes are out of range", checkpoint.path().string());
  check(card);
  return {card, card.out_chans};
}

std::unique_ptr<DetectorNetwork> make_vit(const Card& card) {
  return std::make_unique<Vit>(card);
}

}  // namespace

std::int64_t VitCard::window(std::int64_t index) const {
  const bool global =
      window_size == 0 || std::ranges::find(global_attn_indexes, index) != global_attn_indexes.end();
  return global ? grid : window_size;
}

const DetectorArchitecture kVit = {"ViT",         "sam",      "detector.image_encoder.",
                                   read_vit_card, derive_vit, make_vit};

}  // namespace sealite::model
