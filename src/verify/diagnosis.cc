#include "verify/diagnosis.h"

#include <algorithm>

#include "base/progress.h"
#include "verify/layers.h"
#include "verify/numbers.h"

namespace sealite::verify {
namespace {

struct Defect {
  const char* words;
  // What the original would have to be given to compute the same.
  float (*change)(std::span<const float> pixel, std::size_t channel);
};

constexpr Defect kDefects[] = {
    {"the model normalises its input twice (x * 2 - 1 once in the wrapper, as the conversion guide has it, "
     "and "
     "once in the network)",
     [](std::span<const float> pixel, std::size_t c) { return 2 * pixel[c] - 1; }},
    {"the model does not normalise its input (x * 2 - 1 is missing)",
     [](std::span<const float> pixel, std::size_t c) { return (pixel[c] + 1) / 2; }},
    {"the model wants blue, green, red instead of red, green, blue",
     [](std::span<const float> pixel, std::size_t c) { return pixel[2 - c]; }},
    {"the model wants values from 0 to 255 instead of 0 to 1",
     [](std::span<const float> pixel, std::size_t c) { return pixel[c] / 255; }},
};

}  // namespace

std::string diagnose(const Examination& examination, const Original& original) {
  const image::Planes& picture = examination.pictures[0].planes;
  const graph::Graph graph = original.graph(picture.height, picture.width);
  Progress progress("looking for the cause", graph.nodes.size() * std::size(kDefects));
  for (const Defect& defect : kDefects) {
    graph::Tensor changed = to_tensor(picture);
    for (std::size_t i = 0; i < picture.data.size(); ++i) {
      const auto pixel = std::span(picture.data).subspan(i / 3 * 3, 3);
      changed.values[i] = defect.change(pixel, i % 3);
    }
    const auto logits = logits_of(run_graph(graph, changed, [&] { progress.advance(1); }));
    if (relative_error(logits, examination.outputs[0]) <= examination.limits.relative_error)
      return defect.words;
  }
  return {};
}

}  // namespace sealite::verify
