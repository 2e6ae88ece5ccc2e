// Which form of a ConvNeXtV2 block LiteRT runs fastest: blocks of PixelSeal's and ChunkySeal's stages with
// random weights, each form a file of its own, run alternately.
//
//   block_forms [RECIPE] [THREADS] [RUNS] [SHAPE ...]     default: int8, 1 thread, 15 runs, all shapes
//   (SxSxC)
//
// Prints minimum and median milliseconds of a block and the ratio to the first form.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>

#include "bench/alternate_runs.h"
#include "graph/builder.h"
#include "passes/pass.h"

namespace {

using namespace sealite;
using namespace sealite::graph;

// The 7x7 depthwise convolution: as the passes split it, one operator, three pieces by rows {2,3,4}, {1,5}
// and {0,6}, the 5x5 centre and the ring around it in two pieces, 21 + 20 + 8 taps, or seven pieces of at
// most 9.
enum class Depthwise { kOurs, kWhole, kRows, kCentreAndRing, kThree, kNineTaps };

struct Form {
  const char* name;
  std::int64_t strips = 1;    // of rows, from the LayerNorm to GELU and from the GRN's product on
  bool mean_product = false;  // LayerNorm's means as a FULLY_CONNECTED
  bool squares = false;       // LayerNorm's variance as mean(x^2) - mean(x)^2
  bool convolutions = false;  // 1x1 convolutions for the products
  Depthwise depthwise = Depthwise::kOurs;
};

constexpr Form kForms[] = {
    {.name = "ours"},
    {.name = "7x7 depthwise whole", .depthwise = Depthwise::kWhole},
    {.name = "7x7 by rows", .depthwise = Depthwise::kRows},
    {.name = "5x5 centre and ring", .depthwise = Depthwise::kCentreAndRing},
    {.name = "7x7 in three pieces", .depthwise = Depthwise::kThree},
    {.name = "7x7 in pieces of nine", .depthwise = Depthwise::kNineTaps},
    {.name = "1x1 convolutions", .convolutions = true},
    {.name = "means as products", .mean_product = true},
    {.name = "variance from squares", .squares = true},
    {.name = "2 strips", .strips = 2},
    {.name = "4 strips", .strips = 4},
    {.name = "8 strips", .strips = 8},
    {.name = "16 strips", .strips = 16},
};

class Block {
 public:
  Block(const Form& form, std::int64_t side, std::int64_t channels)
      : form_(form), side_(side), channels_(channels) {}

  Graph build() {
    const ValueId x = builder_.input("x", {1, side_, side_, channels_});
    const ValueId y = depthwise(x);
    const std::vector<ValueId> strips = hidden(y);
    const ValueId scale = grn_scale(strips);
    std::vector<ValueId> outputs;
    const ValueId filter = weights(channels_, 4 * channels_);
    const ValueId bias = random({channels_}, 0.1F);
    for (const ValueId strip : strips) {
      const ValueId scaled = builder_.binary(fresh(), BinaryKind::kMul, strip, scale);
      outputs.push_back(product(scaled, filter, bias));
    }
    graph_.outputs = {builder_.binary(fresh(), BinaryKind::kAdd, x, joined(outputs))};
    verify(graph_);
    passes::PipelineOptions options;
    if (form_.depthwise == Depthwise::kWhole) options.stop_after = "fuse-relu";
    passes::run_pipeline(graph_, options);
    return std::move(graph_);
  }

 private:
  std::string fresh() { return fmt::format("n{}", next_++); }
  ValueId add(Op op, std::vector<ValueId> inputs) {
    return builder_.add(fresh(), std::move(op), std::move(inputs));
  }
  ValueId weights(std::int64_t out, std::int64_t in) {
    const float spread = std::sqrt(3.0F / static_cast<float>(in));
    return random(form_.convolutions ? Shape{out, 1, 1, in} : Shape{out, in}, spread);
  }
  ValueId product(ValueId x, ValueId filter, ValueId bias) {
    return add(form_.convolutions ? Op(Conv2D{}) : Op(FullyConnected{}), {x, filter, bias});
  }
  ValueId piece(ValueId x, std::int64_t height, std::int64_t width, std::int64_t dilation_h,
                std::int64_t dilation_w) {
    return add(DepthwiseConv2D{dilation_h, dilation_w},
               {x, random({1, height, width, channels_}, 0.25F), random({channels_}, 0.1F)});
  }
  ValueId depthwise(ValueId x) {
    struct Piece {
      std::int64_t height, width, dilation_h, dilation_w;
    };
    std::vector<Piece> pieces = {{7, 7, 1, 1}};  // the passes split it
    if (form_.depthwise == Depthwise::kRows) pieces = {{3, 7, 1, 1}, {2, 7, 4, 1}, {2, 7, 6, 1}};
    if (form_.depthwise == Depthwise::kCentreAndRing) pieces = {{5, 5, 1, 1}, {2, 7, 6, 1}, {5, 2, 1, 6}};
    if (form_.depthwise == Depthwise::kThree) pieces = {{3, 7, 2, 1}, {4, 5, 2, 1}, {4, 2, 2, 6}};
    if (form_.depthwise == Depthwise::kNineTaps) {
      pieces = {{4, 2, 2, 6}, {4, 2, 2, 4}, {4, 2, 2, 2}, {4, 1, 2, 1},
                {2, 4, 4, 2}, {3, 3, 2, 2}, {1, 4, 1, 2}};
    }
    std::optional<ValueId> sum;
    for (const auto& [height, width, dilation_h, dilation_w] : pieces) {
      const ValueId y = piece(x, height, width, dilation_h, dilation_w);
      sum = sum ? builder_.binary(fresh(), BinaryKind::kAdd, *sum, y) : y;
    }
    return *sum;
  }

  ValueId random(Shape shape, float width) {
    std::uniform_real_distribution<float> uniform(-width, width);
    std::vector<float> values(element_count(shape).value());
    for (float& value : values) value = uniform(generator_);
    return builder_.constant(fresh(), std::move(shape), std::move(values));
  }

  // LayerNorm, pwconv1 and GELU of each strip.
  std::vector<ValueId> hidden(ValueId y) {
    const ValueId filter = weights(4 * channels_, channels_);
    const ValueId bias = random({4 * channels_}, 0.1F);
    std::vector<ValueId> made;
    for (std::int64_t i = 0; i < form_.strips; ++i) {
      const std::int64_t first = i * side_ / form_.strips;
      const std::int64_t rows = (i + 1) * side_ / form_.strips - first;
      ValueId strip = form_.strips == 1 ? y : add(Slice{{0, first, 0, 0}, {1, rows, side_, channels_}}, {y});
      strip = product(norm(strip), filter, bias);
      made.push_back(builder_.unary(fresh(), UnaryKind::kGelu, strip));
    }
    return made;
  }

  ValueId mean(ValueId x) {
    if (!form_.mean_product) return builder_.mean(fresh(), x, {3});
    const float share = 1.0F / static_cast<float>(channels_);
    return add(FullyConnected{}, {x, builder_.constant(fresh(), filled({1, channels_}, share)),
                                  builder_.constant(fresh(), {1}, {0.0F})});
  }
  // Its affine map and the subtraction of the mean are in pwconv1 already.
  ValueId norm(ValueId x) {
    const ValueId m = mean(x);
    ValueId variance{};
    if (form_.squares) {
      const ValueId squares = mean(builder_.binary(fresh(), BinaryKind::kMul, x, x));
      variance = builder_.binary(fresh(), BinaryKind::kSub, squares,
                                 builder_.binary(fresh(), BinaryKind::kMul, m, m));
    } else {
      variance = mean(builder_.binary(fresh(), BinaryKind::kSquaredDifference, x, m));
    }
    variance = builder_.binary(fresh(), BinaryKind::kAdd, variance, builder_.constant(fresh(), {}, {1e-6F}));
    return builder_.binary(fresh(), BinaryKind::kMul, x,
                           builder_.unary(fresh(), UnaryKind::kRsqrt, variance));
  }

  ValueId grn_scale(const std::vector<ValueId>& strips) {
    ValueId sums{};
    for (std::size_t i = 0; i < strips.size(); ++i) {
      const ValueId squares = builder_.binary(fresh(), BinaryKind::kMul, strips[i], strips[i]);
      const ValueId sum = add(Reduce{ReduceKind::kSum, {1, 2}, true}, {squares});
      sums = i == 0 ? sum : builder_.binary(fresh(), BinaryKind::kAdd, sums, sum);
    }
    const ValueId norms = builder_.unary(fresh(), UnaryKind::kSqrt, sums);
    const float share = 1.0F / static_cast<float>(4 * channels_);
    const ValueId average =
        add(FullyConnected{}, {norms, builder_.constant(fresh(), filled({1, 4 * channels_}, share)),
                               builder_.constant(fresh(), {1}, {1e-6F})});
    ValueId scale = builder_.binary(fresh(), BinaryKind::kDiv, norms, average);
    scale = builder_.binary(fresh(), BinaryKind::kMul, scale, random({4 * channels_}, 0.5F));
    return builder_.binary(fresh(), BinaryKind::kAdd, scale, builder_.constant(fresh(), {}, {1.0F}));
  }

  // XNNPACK takes at most a few inputs to a concatenation.
  ValueId joined(std::vector<ValueId> parts) {
    while (parts.size() > 1) {
      std::vector<ValueId> fewer;
      for (std::size_t i = 0; i < parts.size(); i += 4) {
        const auto first = parts.begin() + static_cast<std::ptrdiff_t>(i);
        const auto last = parts.begin() + static_cast<std::ptrdiff_t>(std::min(parts.size(), i + 4));
        fewer.push_back(last - first == 1 ? *first : add(Concatenation{1}, {first, last}));
      }
      parts = std::move(fewer);
    }
    return parts[0];
  }

  const Form& form_;
  std::int64_t side_;
  std::int64_t channels_;
  Graph graph_;
  Builder builder_{graph_};
  std::mt19937 generator_{1};
  int next_ = 0;
};

struct Settings {
  std::string recipe = "int8";
  int threads = 1;
  int runs = 15;
  std::filesystem::path folder;
};

void measure(const Settings& settings, std::int64_t side, std::int64_t channels) {
  AlternateRuns forms(settings.recipe, settings.threads);
  for (const Form& form : kForms) {
    if (form.strips <= side)
      forms.add(form.name, Block(form, side, channels).build(), settings.folder / "block.tflite");
  }
  fmt::print("\n{0}x{0}x{1}, ", side, channels);
  forms.measure(settings.runs);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (argc > 1) settings.recipe = argv[1];
  if (argc > 2) settings.threads = std::atoi(argv[2]);
  if (argc > 3) settings.runs = std::atoi(argv[3]);
  std::vector<std::string> shapes(argv + std::min(argc, 4), argv + argc);
  if (shapes.empty())
    shapes = {"64x64x96",    "32x32x192", "16x16x384",  "8x8x768",
              "127x127x362", "63x63x724", "31x31x1448", "15x15x2896"};
  settings.folder = std::filesystem::temp_directory_path() / fmt::format("block_forms.{}", ::getpid());
  std::filesystem::create_directory(settings.folder);
  int status = 0;
  try {
    for (const std::string& shape : shapes) {
      const std::size_t last = shape.rfind('x');
      measure(settings, std::atoll(shape.c_str()), std::atoll(shape.c_str() + last + 1));
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "block_forms: {}\n", error.what());
    status = 1;
  }
  std::filesystem::remove_all(settings.folder);
  return status;
}
