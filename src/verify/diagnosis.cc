#include "verify/diagnosis.h"

#include <algorithm>

#include "base/progress.h"
#include "verify/layers.h"
#include "verify/numbers.h"

namespace sealite::verify {
namespace {

// What the original would have to be given to compute the same.
struct Defect {
  const char* words;
  float (*colour)(std::span<const float> pixel, std::size_t channel);  // nullptr: the picture is right
  float (*bit)(float bit);                                             // nullptr: the message is right
};

constexpr Defect kDefects[] = {
    {"the model normalises its input twice (x * 2 - 1 once in the wrapper, as the conversion guide has it, "
     "and once in the network)",
     [](std::span<const float> pixel, std::size_t c) { return 2 * pixel[c] - 1; }, nullptr},
    {"the model does not normalise its input (x * 2 - 1 is missing)",
     [](std::span<const float> pixel, std::size_t c) { return (pixel[c] + 1) / 2; }, nullptr},
    {"the model wants blue, green, red instead of red, green, blue",
     [](std::span<const float> pixel, std::size_t c) { return pixel[2 - c]; }, nullptr},
    {"the model wants values from 0 to 255 instead of 0 to 1",
     [](std::span<const float> pixel, std::size_t c) { return pixel[c] / 255; }, nullptr},
    {"the model takes the message's zeros for ones and its ones for zeros", nullptr,
     [](float bit) { return 1 - bit; }},
    {"the model normalises its message (0 and 1 become -1 and 1)", nullptr,
     [](float bit) { return 2 * bit - 1; }},
};

// The picture and its message (if there is one) as they reach the original inside a model with this defect.
std::vector<evaluate::Tensor> changed(const Picture& picture, const Defect& defect) {
  std::vector<evaluate::Tensor> inputs = to_tensors(picture);
  const std::vector<float>& pixels = picture.planes.data;
  for (std::size_t i = 0; defect.colour != nullptr && i < pixels.size(); ++i)
    inputs[0].values[i] = defect.colour(std::span(pixels).subspan(i / 3 * 3, 3), i % 3);
  if (defect.bit != nullptr) std::ranges::transform(inputs[1].values, inputs[1].values.begin(), defect.bit);
  return inputs;
}

}  // namespace

std::string diagnose(const Examination& examination, const Original& original,
                     std::span<const float> reference) {
  const Picture& picture = examination.pictures[0];
  const graph::Graph graph = original.graph(picture.planes.height, picture.planes.width);
  Progress progress("looking for the cause", graph.nodes.size() * std::size(kDefects));
  // A rounded model is near to its original and to slightly changed ones: a cause must explain more than
  // that.
  double least = relative_error(reference, examination.outputs[0]) / 2;
  std::string cause;
  for (const Defect& defect : kDefects) {
    if (defect.bit != nullptr && picture.message.empty()) continue;
    const auto output = run_graph(graph, changed(picture, defect), [&] { progress.advance(1); });
    const double error = relative_error(examination.kind.values(output), examination.outputs[0]);
    if (!(error <= examination.limits.relative_error) || !(error < least)) continue;
    least = error;
    cause = defect.words;
  }
  return cause;
}

}  // namespace sealite::verify
