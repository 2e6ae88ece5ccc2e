#include "sealite/convert.h"

#include "api/file_reader.h"
#include "conversion/conversion.h"
#include "model/card.h"
#include "passes/pass.h"
#include "quantize/recipe.h"

namespace sealite {

std::vector<ConvertReport> convert(const std::filesystem::path& checkpoint,
                                   const std::filesystem::path& output, const ConvertOptions& options) {
  return conversion::convert(checkpoint, output, options, file_reader());
}

std::vector<ConvertReport> convert_into(const std::filesystem::path& checkpoint,
                                        const std::filesystem::path& folder, const ConvertOptions& options) {
  return conversion::convert_into(checkpoint, folder, options, file_reader());
}

std::vector<std::string> card_names() {
  return model::card_names();
}

std::vector<NamedChoice> conversion_recipes() {
  std::vector<NamedChoice> choices;
  for (const quantize::Recipe& recipe : quantize::recipes())
    choices.push_back({std::string(recipe.name), std::string(recipe.summary)});
  return choices;
}

std::vector<NamedChoice> conversion_passes() {
  std::vector<NamedChoice> choices;
  for (const passes::Pass& pass : passes::pipeline())
    choices.push_back({std::string(pass.name), std::string(pass.summary)});
  return choices;
}

ConvertReport convert_detector(const std::filesystem::path& checkpoint, const std::filesystem::path& output,
                               const ConvertOptions& options) {
  ConvertOptions detector = options;
  detector.part = Part::kDetector;
  return convert(checkpoint, output, detector).at(0);
}

ConvertReport convert_embedder(const std::filesystem::path& checkpoint, const std::filesystem::path& output,
                               const ConvertOptions& options) {
  ConvertOptions embedder = options;
  embedder.part = Part::kEmbedder;
  return convert(checkpoint, output, embedder).at(0);
}

}  // namespace sealite
