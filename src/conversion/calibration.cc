#include "conversion/calibration.h"

#include <random>
#include <span>

#include "base/digest.h"
#include "base/image_shape.h"
#include "pixels/resize.h"

namespace sealite::conversion {
namespace {

// Pictures as one batch in the graph's own layout.
evaluate::Tensor read_batch(const std::vector<std::filesystem::path>& paths,
                            const model::InterfaceOptions& interface, std::uint64_t max_pixels,
                            const pixels::PictureReader& read_picture) {
  const auto count = static_cast<std::int64_t>(paths.size());
  evaluate::Tensor batch{image_shape(interface.layout, count, interface.height, interface.width), {}};
  for (const auto& path : paths) {
    const pixels::Planes planes =
        pixels::resize_antialiased(read_picture(path, max_pixels).view(), interface.height, interface.width);
    const std::vector<float> values = pixels::in_layout(planes, interface.layout);
    batch.values.insert(batch.values.end(), values.begin(), values.end());
  }
  return batch;
}

// As many messages as pictures, the same ones every time.
evaluate::Tensor random_messages(std::int64_t count, std::int64_t bits) {
  std::mt19937 generator(1);
  evaluate::Tensor messages{{count, bits}, {}};
  for (std::int64_t i = 0; i < count * bits; ++i)
    messages.values.push_back(static_cast<float>(generator() >> 31U));
  return messages;
}

}  // namespace

std::vector<evaluate::Tensor> calibration_inputs(const graph::Graph& graph, const ConvertOptions& options,
                                                 const model::InterfaceOptions& interface,
                                                 const pixels::PictureReader& read_picture) {
  std::vector<evaluate::Tensor> inputs;
  if (options.calibrate.empty()) return inputs;
  inputs.push_back(read_batch(options.calibrate, interface, options.max_pixels, read_picture));
  if (graph.inputs.size() > 1)
    inputs.push_back(random_messages(inputs[0].shape[0], graph.shape(graph.inputs[1]).back()));
  return inputs;
}

std::string hash_of(const evaluate::Tensor& batch) {
  return to_hex(digest_of(std::as_bytes(std::span(batch.values))));
}

}  // namespace sealite::conversion
