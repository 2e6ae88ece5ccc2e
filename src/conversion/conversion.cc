#include "conversion/conversion.h"

#include <algorithm>
#include <functional>

#include "base/context.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/image_shape.h"
#include "checkpoint/check_output.h"
#include "conversion/calibration.h"
#include "conversion/convert_output.h"
#include "graph/stored_precision.h"
#include "model/audit.h"
#include "model/derive_card.h"
#include "model/detector_graph.h"
#include "model/embedder_graph.h"
#include "model/unread_tensors.h"
#include "model_file/metadata.h"
#include "passes/pass.h"
#include "quantize/calibrate.h"
#include "quantize/layer_report.h"
#include "quantize/quantize.h"
#include "sealite/version.h"
#include "tflite/writer.h"

namespace sealite::conversion {
namespace {

using checkpoint::Checkpoint;

model::InterfaceOptions interface_of(const ConvertOptions& options, const model::Card& card) {
  const std::int64_t size = options.image_size > 0 ? options.image_size : card.image_size;
  return {options.layout, 1, size, size};
}

// Shapes as users see them: -1 where free.
Shape free_dimensions(Shape shape, const ConvertOptions& options) {
  if (!options.dynamic) return shape;
  shape[0] = -1;
  const ImageAxes axes = image_axes(options.layout);
  if (shape.size() == 4) shape[axes.height] = shape[axes.width] = -1;
  return shape;
}

model_file::Metadata metadata_of(const model::Card& card, const ConvertReport& report,
                                 std::int64_t image_size, const ConvertOptions& options,
                                 const std::string& calibration_hash) {
  model_file::Metadata metadata;
  metadata.model = card.name;
  metadata.part = part_name(report.part);
  metadata.bits = card.bits;
  metadata.image_size = image_size;
  metadata.layout = layout_name(options.layout);
  metadata.precision = report.precision;
  metadata.sealite_version = sealite::version();
  metadata.checkpoint_hash = report.checkpoint_hash;
  if (report.part == Part::kEmbedder)
    metadata.embedding = {card.attenuation, card.scaling_w, card.scaling_i,
                          model::make_embedder(card)->reads_luma()};
  metadata.dynamic = options.dynamic;
  metadata.keep = options.keep;
  if (!calibration_hash.empty()) metadata.rounding = options.gptq ? "gptq" : "calibrated";
  metadata.calibration_hash = calibration_hash;
  metadata.stop_after = options.stop_after;
  return metadata;
}

void run_passes(graph::Graph& graph, const ConvertOptions& options, passes::Phase phase) {
  passes::PipelineOptions pipeline;
  pipeline.phase = phase;
  pipeline.dynamic_shapes = options.dynamic;
  pipeline.stop_after = options.stop_after;
  if (options.after_pass) {
    pipeline.after_pass = [&](const passes::Pass& pass, const graph::Graph& state) {
      options.after_pass(pass.name, [&state] { return dump(state); });
    };
  }
  passes::run_pipeline(graph, pipeline);
}

bool quantizes(const ConvertOptions& options, const quantize::Recipe& recipe) {
  return recipe.dense != quantize::WeightFormat::kFloat32 || !options.keep.empty();
}

void quantize_graph(graph::Graph& graph, const ConvertOptions& options, const quantize::Recipe& recipe,
                    const std::vector<evaluate::Tensor>& inputs, ConvertReport& report) {
  quantize::QuantizeOptions settings;
  settings.recipe = &recipe;
  for (const std::string& rule : options.keep) settings.keep.push_back(quantize::parse_keep_rule(rule));
  if (!quantizes(options, recipe)) return;
  if (options.gptq && options.calibrate.empty()) {
    fail(ErrorCode::kUsage, "--gptq needs pictures: give --calibrate");
  }
  const graph::Graph original = graph;
  quantize::quantize(graph, settings);
  if (!inputs.empty()) quantize::calibrate(original, graph, inputs, options.gptq);
  if (!options.layer_errors) return;
  for (quantize::LayerError& layer : quantize::report_layers(original, graph, inputs)) {
    report.layers.push_back({std::move(layer.name), std::move(layer.format), layer.weights,
                             layer.weight_error, layer.output_error, layer.logits_effect});
  }
}

// With --stop-after, composites may be left that TFLite has no operator for.
void check_lowered(const graph::Graph& graph, const ConvertOptions& options) {
  for (const graph::Node& node : graph.nodes) {
    if (is_composite(node.op)) {
      fail(ErrorCode::kUsage,
           "stopped after '{}': '{}' is not a TFLite operator yet, so there is nothing to write; the graph "
           "is shown by --dump-after",
           options.stop_after, node.name);
    }
  }
}

// TFLite's resize wants a fixed size: a pixel decoder with real upscaling has one, and every embedder.
void check_dynamic(const model::Card& card, Part part) {
  if (part == Part::kEmbedder) {
    fail(ErrorCode::kUnsupported,
         "card '{}': --dynamic is not supported for embedders, since TFLite's resize wants a fixed size; "
         "convert for one --image-size",
         card.name);
  }
  if (!model::make_detector(card)->reads_any_size()) {
    fail(ErrorCode::kUnsupported,
         "card '{}': --dynamic is not supported for this detector, whose trained positions fix the picture's "
         "size; leave it out (detect resizes pictures itself)",
         card.name);
  }
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

void check_image_size(std::int64_t size) {
  constexpr std::int64_t kMaxImageSize = 1 << 14;
  if (size < 0 || size > kMaxImageSize)
    fail(ErrorCode::kUsage, "image size {} is not 1 to {}", size, kMaxImageSize);
}

// One checkpoint and what its user wants of it.
class Conversion {
 public:
  Conversion(const std::filesystem::path& path, const ConvertOptions& options,
             const pixels::PictureReader& read_picture)
      : options_(options),
        read_picture_(read_picture),
        recipe_(quantize::find_recipe(options.quantize)),
        checkpoint_(std::make_shared<const Checkpoint>(Checkpoint::open(path, options.key))),
        card_(options.card.empty() ? model::derive_card(*checkpoint_) : model::load_card(options.card)),
        interface_(interface_of(options, card_)) {
    checkpoint::log_notes(*checkpoint_);
  }

  // A part that is ready to be written.
  struct Prepared {
    ConvertReport report;
    graph::Graph graph;
    std::shared_ptr<model::WeightAuditor> auditor;  // of what the graph reads
    std::string calibration_hash;                   // empty: no pictures
  };

  std::string guide_name(Part part) const {
    return conversion::guide_name(card_, part, interface_.height, options_);
  }

  Prepared prepare(Part part, const std::filesystem::path& output) const {
    checkpoint::check_output(*checkpoint_, output);
    if (options_.dynamic) check_dynamic(card_, part);
    Prepared prepared;
    ConvertReport& report = prepared.report;
    std::vector<model::Parameter> parameters;
    graph::Graph& graph = prepared.graph;
    graph = build(part, parameters, prepared.auditor);
    report.part = part;
    report.output = output;
    report.card = card_.name;
    report.multiply_accumulates = multiply_accumulates(graph);
    for (const model::Parameter& parameter : parameters) {
      if (!parameter.is_buffer && parameter.same_storage_as.empty())
        report.parameters += element_count(parameter.shape).value_or(0);
    }
    std::vector<evaluate::Tensor> calibration;
    if (quantizes(options_, recipe_))
      calibration = calibration_inputs(graph, options_, interface_, read_picture_);
    if (!calibration.empty()) prepared.calibration_hash = hash_of(calibration[0]);
    // Known when every weight has been read (`write`); of the same length, so that the place for it is right.
    report.checkpoint_hash = std::string(model::kHashAlgorithm) + std::string(2 * sizeof(Digest), '0');
    if (!options_.replace_others)
      check_origin(output, metadata(prepared), nullptr);  // what is known before the work
    report.unread = check_unread(part, parameters);
    run_passes(graph, options_, passes::Phase::kBeforeQuantization);
    quantize_graph(graph, options_, recipe_, calibration, report);
    run_passes(graph, options_, passes::Phase::kAfterQuantization);
    check_lowered(graph, options_);
    report.precision = graph::precision_of(graph::stored_values(graph));
    report.precision_label = quantize::find_recipe(report.precision).label;
    if (!options_.replace_others)
      check_origin(output, metadata(prepared), [&] { return model::audit(checkpoint_, parameters).hash; });
    report.input_shape = free_dimensions(graph.shape(graph.inputs[0]), options_);
    if (graph.inputs.size() > 1) report.message_shape = graph.shape(graph.inputs[1]);
    report.output_shape = free_dimensions(graph.shape(graph.outputs[0]), options_);
    return prepared;
  }

  // Completes the report with what is known when every weight has been read.
  tflite::UnnamedModel write(Prepared& prepared) const {
    const bool detector = prepared.report.part == Part::kDetector;
    tflite::WriteOptions file;
    file.signature = detector ? "detect" : "embed";
    file.description = fmt::format("{} watermark {}, {} bits, by sealite {}", card_.name,
                                   part_name(prepared.report.part), card_.bits, sealite::version());
    file.output_names = {detector ? "logits" : "delta"};
    file.metadata = {{model_file::kMetadataName, to_json(metadata(prepared))}};
    file.final_metadata = [&]() -> tflite::WriteOptions::Metadata {
      model::WeightAudit audit = prepared.auditor->finish();
      prepared.report.checkpoint_hash = std::move(audit.hash);
      prepared.report.non_finite = std::move(audit.non_finite);
      check_finite(prepared.report);
      return {{model_file::kMetadataName, to_json(metadata(prepared))}};
    };
    file.dynamic_shapes = options_.dynamic;
    file.layout = options_.layout;
    return tflite::write_unnamed(prepared.graph, prepared.report.output, file);
  }

 private:
  // The names of those that do not matter.
  std::vector<std::string> check_unread(Part part, const std::vector<model::Parameter>& parameters) const {
    const std::string_view name = part_name(part);
    model::UnreadTensors unread = model::find_unread(*checkpoint_, parameters, fmt::format("{}.", name));
    model::check_unread(unread, *checkpoint_, name, card_.name);
    return std::move(unread.notes);
  }

  void check_finite(const ConvertReport& report) const {
    if (report.non_finite.empty() || options_.allow_non_finite) return;
    const auto& [name, count] = report.non_finite[0];
    const std::size_t more = report.non_finite.size() - 1;
    fail(ErrorCode::kMalformed,
         "'{}': tensor '{}' has {} NaN or infinite value{}{}: the model's answers would not be numbers; "
         "--allow-non-finite converts it all the same",
         checkpoint_->path().string(), name, count, count == 1 ? "" : "s",
         more == 0 ? "" : fmt::format(" (and {} more tensors have)", more));
  }

  // A file with the other part alone is no fault of its card.
  void check_part(Part part) const {
    const Part other = part == Part::kDetector ? Part::kEmbedder : Part::kDetector;
    if (has(part) || !has(other)) return;
    fail(ErrorCode::kMismatch,
         "'{}' has no {}: none of its {} tensors is under '{}.'; give --part {}, or a file with both parts",
         checkpoint_->path().string(), part_name(part), checkpoint_->tensors().size(), part_name(part),
         part_name(other));
  }

  bool has(Part part) const {
    const std::string prefix = fmt::format("{}.", part_name(part));
    return std::ranges::any_of(checkpoint_->tensors(),
                               [&](const auto& tensor) { return tensor.first.starts_with(prefix); });
  }

  model_file::Metadata metadata(const Prepared& prepared) const {
    return metadata_of(card_, prepared.report, interface_.height, options_, prepared.calibration_hash);
  }

  // Checks the checkpoint against the card; `parameters` gets what the network reads, `auditor` will see it.
  graph::Graph build(Part part, std::vector<model::Parameter>& parameters,
                     std::shared_ptr<model::WeightAuditor>& auditor) const {
    const auto checked = [&](const auto& network) {
      parameters = network->parameters();
      model::check_parameters(*checkpoint_, parameters, card_.name);
      auditor = std::make_shared<model::WeightAuditor>(checkpoint_, parameters);
      return model::Weights(checkpoint_, auditor);
    };
    check_part(part);
    return add_context(fmt::format("'{}' at {}x{}", card_.name, interface_.height, interface_.width), [&] {
      if (part == Part::kDetector) {
        const auto network = model::make_detector(card_);
        return model::build_detector_graph(*network, checked(network), interface_);
      }
      const auto network = model::make_embedder(card_);
      return model::build_embedder_graph(*network, checked(network), interface_);
    });
  }

  const ConvertOptions& options_;
  const pixels::PictureReader& read_picture_;
  const quantize::Recipe& recipe_;
  std::shared_ptr<const Checkpoint> checkpoint_;
  model::Card card_;
  model::InterfaceOptions interface_;
};

// None is named before all are on their place. A rename that then fails leaves those before it: they are
// complete, and what they replaced is gone.
void commit_all(const std::vector<tflite::UnnamedModel>& files, bool sync) {
  for (const tflite::UnnamedModel& model : files) model.file->stage(sync);
  for (const tflite::UnnamedModel& model : files) model.file->commit();
}

}  // namespace

namespace {

std::vector<Part> parts_of(const ConvertOptions& options) {
  if (options.part == Part::kBoth) return {Part::kDetector, Part::kEmbedder};
  return {options.part};
}

// `output_of` names the file of a part.
std::vector<ConvertReport> convert_parts(const Conversion& conversion, const ConvertOptions& options,
                                         const std::function<std::filesystem::path(Part part)>& output_of) {
  std::vector<Conversion::Prepared> parts;
  for (const Part part : parts_of(options)) parts.push_back(conversion.prepare(part, output_of(part)));
  std::vector<tflite::UnnamedModel> files;
  for (Conversion::Prepared& part : parts) files.push_back(conversion.write(part));
  commit_all(files, options.sync);
  std::vector<ConvertReport> reports;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].report.bytes = files[i].result.file_bytes;
    parts[i].report.operators = files[i].result.operators;
    reports.push_back(std::move(parts[i].report));
  }
  return reports;
}

}  // namespace

std::vector<ConvertReport> convert(const std::filesystem::path& checkpoint,
                                   const std::filesystem::path& output, const ConvertOptions& options,
                                   const pixels::PictureReader& read_picture) {
  const InContext scope(options.context);
  check_image_size(options.image_size);
  return convert_parts(Conversion(checkpoint, options, read_picture), options, [&](Part part) {
    return options.part == Part::kBoth ? part_path(output, part) : output;
  });
}

std::vector<ConvertReport> convert_into(const std::filesystem::path& checkpoint,
                                        const std::filesystem::path& folder, const ConvertOptions& options,
                                        const pixels::PictureReader& read_picture) {
  const InContext scope(options.context);
  check_image_size(options.image_size);
  const Conversion conversion(checkpoint, options, read_picture);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(ErrorCode::kIo, "cannot create the folder '{}': {}", folder.string(), error.message());
  return convert_parts(conversion, options, [&](Part part) { return folder / conversion.guide_name(part); });
}

}  // namespace sealite::conversion
