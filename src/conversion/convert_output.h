#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "model/card.h"
#include "model_file/metadata.h"
#include "sealite/convert.h"

namespace sealite::conversion {

std::string_view part_name(Part part);

/// "NAME.tflite" to "NAME.detector.tflite".
std::filesystem::path part_path(std::filesystem::path output, Part part);

/// "chunkyseal_detector_chunkyseal_256.tflite", as the conversion guide names ChunkySeal's: card, part,
/// `model_name` (empty: the card's again), size; then what else makes another model of it: "_dynamic",
/// "_nhwc", the recipe's suffix. Throws kUsage if `model_name` is no part of a file name.
std::string guide_name(const model::Card& card, Part part, std::int64_t image_size,
                       const ConvertOptions& options);

/// Throws kUsage if `output` is there and not a model whose own metadata says what `metadata` says (the
/// version of Sealite apart), with `checkpoint_hash()`: same checkpoint, card, part and options. An empty
/// text in `metadata`, or no function, is not known yet and not compared; the hash takes a read of every
/// weight, and is only asked for if all else agrees. An empty file is nobody's.
void check_origin(const std::filesystem::path& output, const model_file::Metadata& metadata,
                  const std::function<std::string()>& checkpoint_hash);

}  // namespace sealite::conversion
