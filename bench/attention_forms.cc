// Which form of windowed attention with relative positions LiteRT runs fastest: the twelve blocks of
// videoseal_0.0's detector (256 tokens of 384 channels, 6 heads, windows of 8x8, blocks 2, 5, 8 and 11 over
// the whole picture), random weights, each form a file of its own, run alternately.
//
//   attention_forms [THREADS] [RUNS] [FOLDER]        default: 1 thread, 15 runs
//
// With FOLDER the files stay there, for bench/transformer_latency.py.
//
// Prints minimum and median milliseconds in float32 and int8, and their ratio to the form that
// src/model/vit.cc writes ("windows, product").
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "bench/alternate_runs.h"
#include "graph/builder.h"
#include "passes/pass.h"

namespace {

using namespace sealite;
using namespace sealite::graph;

constexpr std::int64_t kGrid = 16;
constexpr std::int64_t kWindow = 8;
constexpr std::int64_t kDim = 384;
constexpr std::int64_t kHeads = 6;
constexpr std::int64_t kWidth = kDim / kHeads;
constexpr std::int64_t kBlocks = 12;

enum class Order { kWindows, kRaster };                  // of tokens between the blocks
enum class Positions { kProduct, kAdds, kKeys, kNone };  // how relative positions reach the logits
enum class Heads { kBatched, kSliced };

struct Form {
  const char* file;
  const char* name;
  Order order;
  Positions positions;
  Heads heads;
};

constexpr Form kForms[] = {
    {"ours", "windows, product (ours)", Order::kWindows, Positions::kProduct, Heads::kBatched},
    {"usual", "raster, 4-D adds (the usual way)", Order::kRaster, Positions::kAdds, Heads::kBatched},
    {"raster", "raster, product", Order::kRaster, Positions::kProduct, Heads::kBatched},
    {"adds", "windows, adds where windows are", Order::kWindows, Positions::kAdds, Heads::kBatched},
    {"keys", "windows, positions joined to the keys", Order::kWindows, Positions::kKeys, Heads::kBatched},
    {"slices", "windows, product, heads by slices", Order::kWindows, Positions::kProduct, Heads::kSliced},
    {"none", "windows, positions dropped", Order::kWindows, Positions::kNone, Heads::kBatched},
};

class Transformer {
 public:
  explicit Transformer(const Form& form) : form_(form) {}

  Graph build() {
    ValueId x = builder_.input("x", {1, kGrid, kGrid, kDim});
    if (form_.order == Order::kWindows) x = partition(x);
    for (std::int64_t i = 0; i < kBlocks; ++i) x = block(i % 3 == 2, x);
    if (form_.order == Order::kWindows) x = join(x);
    graph_.outputs = {x};
    verify(graph_);
    passes::run_pipeline(graph_, {});
    return std::move(graph_);
  }

 private:
  std::string fresh() { return fmt::format("n{}", next_++); }
  ValueId add(Op op, std::vector<ValueId> inputs) {
    return builder_.add(fresh(), std::move(op), std::move(inputs));
  }
  ValueId reshape(ValueId x, Shape shape) { return add(Reshape{std::move(shape)}, {x}); }
  ValueId turn(ValueId x) { return add(Transpose{{0, 2, 1, 3}}, {x}); }

  ValueId random(Shape shape, float spread) {
    std::uniform_real_distribution<float> uniform(-spread, spread);
    std::vector<float> values(element_count(shape).value());
    for (float& value : values) value = uniform(generator_);
    return builder_.constant(fresh(), std::move(shape), std::move(values));
  }
  ValueId linear(ValueId x, std::int64_t in, std::int64_t out) {
    const float spread = std::sqrt(3.0F / static_cast<float>(in));
    return add(FullyConnected{}, {x, random({out, in}, spread), random({out}, 0.1F)});
  }
  ValueId norm(ValueId x) { return add(LayerNorm{1e-5F}, {x, random({kDim}, 1), random({kDim}, 0.1F)}); }

  ValueId partition(ValueId x) {
    const std::int64_t across = kGrid / kWindow;
    const std::int64_t channels = builder_.shape(x).back();
    x = reshape(x, {-1, kWindow, across, kWindow * channels});
    return reshape(turn(x), {1, across * across, kWindow * kWindow, channels});
  }
  ValueId join(ValueId x) {
    const std::int64_t across = kGrid / kWindow;
    x = reshape(x, {-1, across, kWindow, kWindow * kDim});
    return reshape(turn(x), {1, kGrid, kGrid, kDim});
  }

  ValueId block(bool global, ValueId x) {
    ValueId y = norm(x);
    const bool moves = form_.order == Order::kRaster && !global;
    if (moves) y = partition(y);
    y = attention(global, y);
    if (moves) y = join(y);
    if (builder_.shape(y) != builder_.shape(x)) y = reshape(y, builder_.shape(x));
    x = builder_.binary(fresh(), BinaryKind::kAdd, x, y);
    y = linear(norm(x), kDim, 4 * kDim);
    y = builder_.unary(fresh(), UnaryKind::kGelu, y);
    return builder_.binary(fresh(), BinaryKind::kAdd, x, linear(y, 4 * kDim, kDim));
  }

  ValueId attention(bool global, ValueId x) {
    const Shape shape = builder_.shape(x);
    const std::int64_t tokens = global ? kGrid * kGrid : kWindow * kWindow;
    const std::int64_t batch = kGrid * kGrid / tokens;
    ValueId y = linear(x, kDim, 3 * kDim);
    y = form_.heads == Heads::kBatched ? batched(global, y, batch, tokens) : sliced(global, y, batch, tokens);
    return linear(reshape(y, shape), kDim, kDim);
  }

  ValueId batched(bool global, ValueId qkv, std::int64_t batch, std::int64_t tokens) {
    qkv = turn(reshape(qkv, {batch, tokens, 3 * kHeads, kWidth}));
    const auto part = [&](std::int64_t i) {
      return add(Slice{{0, i * kHeads, 0, 0}, {-1, kHeads, -1, -1}}, {qkv});
    };
    return turn(attend(global, part(0), part(1), part(2)));
  }
  ValueId sliced(bool global, ValueId qkv, std::int64_t batch, std::int64_t tokens) {
    qkv = reshape(qkv, {batch, 1, tokens, 3 * kDim});
    std::vector<ValueId> parts;
    for (std::int64_t head = 0; head < kHeads; ++head) {
      const auto part = [&](std::int64_t i) {
        return add(Slice{{0, 0, 0, i * kDim + head * kWidth}, {-1, -1, -1, kWidth}}, {qkv});
      };
      parts.push_back(attend(global, part(0), part(1), part(2)));
    }
    return add(Concatenation{3}, std::move(parts));
  }

  // [batch, heads, tokens, width] each.
  ValueId attend(bool global, ValueId q, ValueId k, ValueId v) {
    ValueId logits{};
    if (form_.positions == Positions::kKeys) {
      const ValueId joined = add(Concatenation{3}, {q, relative(global, q)});
      const Shape& shape = builder_.shape(k);
      const std::int64_t places = global ? 2 * kGrid : 2 * kWindow;
      k = add(Concatenation{3}, {k, random({shape[0], shape[1], shape[2], places}, 1)});
      logits = add(BatchMatMul{true}, {joined, k});
    } else {
      logits = add(BatchMatMul{true}, {q, k});
      if (form_.positions != Positions::kNone) logits = positioned(global, q, logits);
    }
    return add(BatchMatMul{}, {add(Softmax{}, {logits}), v});
  }

  ValueId positioned(bool global, ValueId q, ValueId logits) {
    const Shape shape = builder_.shape(logits);
    const std::int64_t side = global ? kGrid : kWindow;
    const ValueId both = relative(global, q);
    // Keys in another order than rows and columns have no axes to broadcast along.
    const bool adds = form_.positions == Positions::kAdds && !(global && form_.order == Order::kWindows);
    if (!adds) {
      const ValueId places = random({1, 1, 2 * side, shape[3]}, 1);
      return builder_.binary(fresh(), BinaryKind::kAdd, logits, add(BatchMatMul{}, {both, places}));
    }
    const auto half = [&](std::int64_t first, Shape lengths) {
      const ValueId part = add(Slice{{0, 0, 0, first}, {-1, -1, -1, side}}, {both});
      return reshape(part, std::move(lengths));
    };
    const std::int64_t rows = shape[0] * shape[1];
    ValueId y = reshape(logits, {rows, shape[2], side, side});
    y = builder_.binary(fresh(), BinaryKind::kAdd, y, half(0, {rows, shape[2], side, 1}));
    y = builder_.binary(fresh(), BinaryKind::kAdd, y, half(side, {rows, shape[2], 1, side}));
    return reshape(y, shape);
  }

  // [batch, heads, tokens, 2 * side]: each query's number for each row and for each column of keys.
  ValueId relative(bool global, ValueId q) {
    const Shape shape = builder_.shape(q);
    const std::int64_t side = global ? kGrid : kWindow;
    const std::int64_t line = form_.order == Order::kWindows ? kWindow : side;
    const std::int64_t groups = shape[2] / line;
    ValueId rows = reshape(q, {-1, groups, line, kWidth});
    rows = add(BatchMatMul{}, {rows, random({1, groups, kWidth, side}, 1)});
    ValueId columns = turn(reshape(q, {-1, line, line, kWidth}));
    columns = reshape(columns, {-1, groups, line, kWidth});
    columns = add(BatchMatMul{}, {columns, random({1, groups, kWidth, side}, 1)});
    columns = turn(reshape(columns, {-1, line, line, side}));
    const Shape tokens = {shape[0], shape[1], shape[2], side};
    return add(Concatenation{3}, {reshape(rows, tokens), reshape(columns, tokens)});
  }

  const Form& form_;
  Graph graph_;
  Builder builder_{graph_};
  std::mt19937 generator_{1};
  int next_ = 0;
};

void measure(const std::string& recipe, int threads, int runs, const std::filesystem::path& folder) {
  AlternateRuns forms(recipe, threads);
  for (const Form& form : kForms)
    forms.add(form.name, Transformer(form).build(), folder / fmt::format("{}.{}.tflite", form.file, recipe));
  fmt::print("\n");
  forms.measure(runs);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const int runs = argc > 2 ? std::atoi(argv[2]) : 15;
  const bool keep = argc > 3;
  const auto folder =
      keep ? std::filesystem::path(argv[3])
           : std::filesystem::temp_directory_path() / fmt::format("attention_forms.{}", ::getpid());
  std::filesystem::create_directories(folder);
  int status = 0;
  try {
    for (const char* recipe : {"float32", "int8"}) measure(recipe, threads, runs, folder);
  } catch (const std::exception& error) {
    fmt::print(stderr, "attention_forms: {}\n", error.what());
    status = 1;
  }
  if (!keep) std::filesystem::remove_all(folder);
  return status;
}
