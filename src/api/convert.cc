#include "sealite/convert.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"

#include "graph/graph.h"
#include "image/resize.h"
#include "model/derive_card.h"
#include "model/detector_graph.h"
#include "passes/pass.h"
#include "quantize/calibrate.h"
#include "quantize/layer_report.h"
#include "quantize/quantize.h"
#include "sealite/sealite.h"
#include "tflite/writer.h"

namespace sealite {
namespace {

using checkpoint::Checkpoint;

model::InterfaceOptions interface_of(const ConvertOptions& options, const model::Card& card) {
  model::InterfaceOptions border;
  border.layout = options.layout == ImageLayout::kNchw ? model::Layout::kNchw : model::Layout::kNhwc;
  border.height = border.width = options.image_size > 0 ? options.image_size : card.image_size;
  return border;
}

// Shapes as users see them: -1 where free.
Shape free_dimensions(Shape shape, bool dynamic, bool nchw) {
  if (!dynamic) return shape;
  shape[0] = -1;
  if (shape.size() == 4) shape[nchw ? 2 : 1] = shape[nchw ? 3 : 2] = -1;
  return shape;
}

std::string metadata_text(const model::Card& card, const ConvertReport& report, std::int64_t image_size,
                          const ConvertOptions& options) {
  nlohmann::ordered_json json;
  json["model"] = card.name;
  json["part"] = "detector";
  json["bits"] = card.bits;
  json["image_size"] = image_size;
  json["layout"] = options.layout == ImageLayout::kNchw ? "nchw" : "nhwc";
  json["precision"] = report.precision;
  json["sealite_version"] = version();
  json["checkpoint_hash"] = report.checkpoint_hash;
  // The card's name may come from a file name: any bytes.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void run_passes(graph::Graph& graph, const ConvertOptions& options) {
  passes::PipelineOptions pipeline;
  pipeline.dynamic_shapes = options.dynamic;
  pipeline.stop_after = options.stop_after;
  if (options.after_pass) {
    pipeline.after_pass = [&](const passes::Pass& pass, const graph::Graph& state) {
      options.after_pass(pass.name, [&state] { return dump(state); });
    };
  }
  passes::run_pipeline(graph, pipeline);
}

// Pictures as one batch in the graph's own layout.
graph::Tensor read_batch(const std::vector<std::filesystem::path>& paths,
                         const model::InterfaceOptions& border) {
  graph::Tensor batch{{static_cast<std::int64_t>(paths.size())}, {}};
  const bool nchw = border.layout == model::Layout::kNchw;
  batch.shape.insert(batch.shape.end(), {nchw ? 3 : border.height, nchw ? border.height : border.width,
                                         nchw ? border.width : 3});
  for (const auto& path : paths) {
    const image::Planes planes =
        image::resize_antialiased(image::read_picture(path), border.height, border.width);
    const std::vector<float> values = nchw ? image::to_chw(planes) : planes.data;
    batch.values.insert(batch.values.end(), values.begin(), values.end());
  }
  return batch;
}

void quantize_graph(graph::Graph& graph, const ConvertOptions& options, const quantize::Recipe& recipe,
                    const model::InterfaceOptions& border, ConvertReport& report) {
  quantize::QuantizeOptions settings;
  settings.recipe = &recipe;
  for (const std::string& rule : options.keep) settings.keep.push_back(quantize::parse_keep_rule(rule));
  if (recipe.dense == quantize::WeightFormat::kFloat32 && options.keep.empty()) return;
  if (options.gptq && options.calibrate.empty()) {
    fail(ErrorCode::kUsage, "--gptq needs pictures: give --calibrate");
  }
  const graph::Graph original = graph;
  quantize::quantize(graph, settings);
  std::optional<graph::Tensor> pictures;
  if (!options.calibrate.empty()) {
    pictures = read_batch(options.calibrate, border);
    quantize::calibrate(original, graph, *pictures, options.gptq);
  }
  if (!options.layer_errors) return;
  for (quantize::LayerError& layer : quantize::report_layers(original, graph, pictures)) {
    report.layers.push_back({std::move(layer.name), std::move(layer.format), layer.weights,
                             layer.weight_error, layer.output_error, layer.logits_effect});
  }
}

// With --stop-after, composites may be left that TFLite has no operator for.
void check_lowered(const graph::Graph& graph, const ConvertOptions& options) {
  for (const graph::Node& node : graph.nodes) {
    if (std::holds_alternative<graph::LayerNorm>(node.op) ||
        std::holds_alternative<graph::GlobalResponseNorm>(node.op)) {
      fail(ErrorCode::kUsage,
           "stopped after '{}': '{}' is not a TFLite operator yet, so there is nothing to write; the graph "
           "is shown by --dump-after",
           options.stop_after, node.name);
    }
  }
}

// Heights and widths that a pixel decoder with real upscaling bakes into its resizes.
void check_dynamic(const model::Card& card) {
  for (const std::int64_t factor : card.detector.pixel_decoder.upscale_stages) {
    const bool resizes = card.detector.pixel_decoder.upscale_type == model::UpscaleType::kBilinear ||
                         card.detector.pixel_decoder.upscale_type == model::UpscaleType::kNearest;
    if (factor > 1 && resizes) {
      fail(ErrorCode::kUnsupported,
           "card '{}': --dynamic with upscale_stages above 1 is not supported, since TFLite's resize "
           "wants a fixed size; convert for one --image-size",
           card.name);
    }
  }
}

// The mapped checkpoint would be read to its end even so, but nobody means to lose it.
void check_output(const std::filesystem::path& checkpoint, const std::filesystem::path& output) {
  std::error_code ignored;
  if (std::filesystem::equivalent(checkpoint, output, ignored)) {
    fail(ErrorCode::kUsage, "'{}' is the checkpoint itself; write to another file", output.string());
  }
}

}  // namespace

ConvertReport convert_detector(const std::filesystem::path& path, const std::filesystem::path& output,
                               const ConvertOptions& options) {
  const quantize::Recipe& recipe = quantize::find_recipe(options.quantize);
  constexpr std::int64_t kMaxImageSize = 1 << 14;
  if (options.image_size < 0 || options.image_size > kMaxImageSize) {
    fail(ErrorCode::kUsage, "image size {} is not 1 to {}", options.image_size, kMaxImageSize);
  }
  const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(path));
  check_output(path, output);
  const model::Card card =
      options.card.empty() ? model::derive_card(*checkpoint) : model::load_card(options.card);
  if (options.dynamic) check_dynamic(card);
  const auto network = model::make_detector(card);
  const std::vector<model::Parameter> parameters = network->parameters();
  model::check_parameters(*checkpoint, parameters, card.name);

  const model::InterfaceOptions border = interface_of(options, card);
  graph::Graph graph = add_context(fmt::format("'{}' at {}x{}", card.name, border.height, border.width), [&] {
    return model::build_detector_graph(*network, model::Weights(checkpoint), border);
  });
  ConvertReport report;
  report.output = output;
  report.card = card.name;
  report.precision = recipe.name;
  report.multiply_accumulates = multiply_accumulates(graph);
  for (const model::Parameter& parameter : parameters)
    report.parameters += element_count(parameter.shape).value_or(0);
  run_passes(graph, options);
  quantize_graph(graph, options, recipe, border, report);

  check_lowered(graph, options);
  model::WeightAudit audit = model::audit(*checkpoint, parameters);
  report.checkpoint_hash = std::move(audit.hash);
  report.non_finite = std::move(audit.non_finite);
  const bool nchw = options.layout == ImageLayout::kNchw;
  report.input_shape = free_dimensions(graph.shape(graph.inputs[0]), options.dynamic, nchw);
  report.output_shape = free_dimensions(graph.shape(graph.outputs[0]), options.dynamic, nchw);

  tflite::WriteOptions file;
  file.signature = "detect";
  file.description =
      fmt::format("{} watermark detector, {} bits, by sealite {}", card.name, card.bits, version());
  file.output_names = {"logits"};
  file.metadata = {{"sealite", metadata_text(card, report, border.height, options)}};
  file.dynamic_shapes = options.dynamic;
  file.nchw_input = nchw;
  file.sync = options.sync;
  const tflite::WriteResult written = tflite::write(graph, output, file);
  report.bytes = written.file_bytes;
  report.operators = written.operators;
  return report;
}

}  // namespace sealite
