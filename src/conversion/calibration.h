#pragma once

#include <string>
#include <vector>

#include "evaluate/evaluate.h"
#include "graph/graph.h"
#include "model/detector_graph.h"
#include "pixels/picture_reader.h"
#include "sealite/convert.h"

namespace sealite::conversion {

/// What the graph reads when it is calibrated: the pictures of `options.calibrate` as one batch and, for an
/// embedder, messages; empty without pictures. Throws what reading a picture throws.
std::vector<evaluate::Tensor> calibration_inputs(const graph::Graph& graph, const ConvertOptions& options,
                                                 const model::InterfaceOptions& interface,
                                                 const pixels::PictureReader& read_picture);

/// Of the pictures as the model reads them, 64 hexadecimal digits.
std::string hash_of(const evaluate::Tensor& batch);

}  // namespace sealite::conversion
