#include "conversion/calibration.h"

#include <random>
#include <span>

#include "base/digest.h"
#include "pixels/resize.h"

namespace sealite::conversion {
namespace {

// Pictures as one batch in the graph's own layout.
evaluate::Tensor read_batch(const std::vector<std::filesystem::path>& paths,
                            const model::InterfaceOptions& border, std::uint64_t max_pixels,
                            const pixels::PictureReader& read_picture) {
  evaluate::Tensor batch{{static_cast<std::int64_t>(paths.size())}, {}};
  const bool nchw = border.layout == model::Layout::kNchw;
  batch.shape.insert(batch.shape.end(), {nchw ? 3 : border.height, nchw ? border.height : border.width,
                                         nchw ? border.width : 3});
  for (const auto& path : paths) {
    const pixels::Planes planes =
        pixels::resize_antialiased(read_picture(path, max_pixels).view(), border.height, border.width);
    const std::vector<float> values = nchw ? pixels::to_chw(planes) : planes.data;
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
                                                 const model::InterfaceOptions& border,
                                                 const pixels::PictureReader& read_picture) {
  std::vector<evaluate::Tensor> inputs;
  if (options.calibrate.empty()) return inputs;
  inputs.push_back(read_batch(options.calibrate, border, options.max_pixels, read_picture));
  if (graph.inputs.size() > 1)
    inputs.push_back(random_messages(inputs[0].shape[0], graph.shape(graph.inputs[1]).back()));
  return inputs;
}

std::string hash_of(const evaluate::Tensor& batch) {
  return to_hex(digest_of(std::as_bytes(std::span(batch.values))));
}

}  // namespace sealite::conversion
