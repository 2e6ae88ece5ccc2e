#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model_file/reader.h"

namespace sealite::model_file {

/// What one operator of a file has to compute.
struct OperatorWork {
  std::string name;  ///< Of its output.
  std::string kind;  ///< "CONV_2D"
  /// Of one run, convolutions and matrix products only, as graph::multiply_accumulates counts them.
  std::uint64_t multiply_accumulates = 0;
  bool integer_weights = false;  ///< Its filter is stored as int8 or int4.
  bool is_product = false;       ///< It counts at all.
  bool uncounted = false;  ///< It multiplies, and how much is not known: TRANSPOSE_CONV, LSTM, custom, …
};

struct Workload {
  std::vector<ModelTensor> inputs;  ///< Of the signature, with the sizes that the file was made for.
  std::vector<OperatorWork> operators;
};

/// The work of one signature, or of the first subgraph for an empty `signature`, of any .tflite file, for the
/// sizes that the file was made for. Throws kNotFound, kMalformed, or kUsage for no such signature.
Workload read_workload(const std::filesystem::path& path, std::string_view signature);
/// The same for a file that `read_model` has checked.
Workload read_workload(const ModelFile& file, std::string_view signature);

}  // namespace sealite::model_file
