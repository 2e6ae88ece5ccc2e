#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/mapped_file.h"
#include "base/shape.h"
#include "runtime/profiler.h"
#include "runtime/run_options.h"
#include "sealite/weight_cache.h"

namespace sealite::runtime {

/// One input or output of a signature: its name there, its element type and its shape as the file says it.
struct TensorInfo {
  std::string name;
  DType type = DType::kFloat32;
  Shape shape;  ///< -1: free until `resize_input`.
};

/// One signature of a .tflite file, compiled by LiteRT for the CPU. Not for use from several threads at once.
class CompiledModel {
 public:
  /// The caller has verified an untrusted file before (model_file/reader): LiteRT itself checks little.
  /// Throws kNotFound (the file), kUnsupported (the library, an element type), kMalformed (the model) or
  /// kUsage (no such signature, a bad option).
  CompiledModel(const std::filesystem::path& model, std::string_view signature, const RunOptions& options);
  /// The same for a file that is `MappedFile::settled`: LiteRT reads these very bytes, which the caller has
  /// checked.
  CompiledModel(std::shared_ptr<const MappedFile> model, std::string_view signature,
                const RunOptions& options);
  ~CompiledModel();
  CompiledModel(CompiledModel&&) noexcept;
  CompiledModel& operator=(CompiledModel&&) noexcept;
  CompiledModel(const CompiledModel&) = delete;
  CompiledModel& operator=(const CompiledModel&) = delete;

  /// The signature's tensors, in its order.
  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;

  /// Whether XNNPACK took every operator. If not, int4 weights may give wrong numbers (docs/pipeline.md).
  bool fully_delegated() const;
  WeightCacheUse cache_use() const;

  /// Gives input `index` the shape `shape`; dimensions that the file fixes must keep their size. Throws
  /// kUsage.
  void resize_input(std::size_t index, const Shape& shape);
  /// The shape of input `index` now: -1 where it is still free.
  const Shape& input_shape(std::size_t index) const;
  /// The shape of output `index` for the inputs' shapes of now. Throws kUsage while an input is still free.
  Shape output_shape(std::size_t index);

  /// Copies `values`, exactly as many as the input's shape holds, into a float32 input. Throws kUsage.
  void write_input(std::size_t index, std::span<const float> values);
  /// Runs the model on the inputs written last. Throws kUsage if an input was not written since its resize.
  void run();
  /// `run`, timing every operator; with `RunOptions::profile` only. Throws kUnsupported too
  /// (runtime/profiler.h).
  std::vector<OperatorTime> run_profiled();
  /// The values of a float32 output of the last `run`. Throws kUsage if there was none.
  std::vector<float> read_output(std::size_t index);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealite::runtime
