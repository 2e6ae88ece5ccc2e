#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/mapped_file.h"
#include "base/shape.h"
#include "checkpoint/plain_value.h"

namespace sealite::checkpoint {

/// A tensor inside the mapped file. Axis order as in the file (PyTorch: NCHW, OIHW).
struct TensorView {
  DType type = DType::kFloat32;
  Shape shape;
  std::vector<std::int64_t> strides;  ///< In elements, as in the file.
  ByteView bytes;                     ///< From the first element to the last one that the strides reach.
  std::string storage;                ///< Key of the storage: equal for tensors that share memory.

  /// Row-major without gaps.
  bool contiguous() const;
};

/// A top-level part of the file ("model", "optimizer", ...), for inspection.
struct Section {
  std::string name;
  std::size_t tensors = 0;
  std::uint64_t bytes = 0;  ///< Of distinct storages.
  bool is_model = false;    ///< The file's `tensors` are this part.
};

using TensorMap = std::map<std::string, TensorView, std::less<>>;
using ArgMap = std::map<std::string, std::string, std::less<>>;

/// What a file says, before it has an owner: the result of the format readers.
struct Contents {
  TensorMap tensors;
  ArgMap args;
  PlainValue plain_args;
  std::vector<std::string> dropped_args;
  std::optional<std::int64_t> epoch;
  std::vector<Section> sections;
};

/// A checkpoint file, mapped and checked. Movable; its views never outlive it.
class Checkpoint {
 public:
  /// Opens a .pth, .pt or .safetensors file, told apart by content and not by name; nothing in it is executed
  /// and no weights are copied. Throws kNotFound, kMalformed or kUnsupported (and kIo), whatever the bytes.
  static Checkpoint open(const std::filesystem::path& path);

  /// The tensors of the `model` dict (or of `state_dict`, or of the top level if that is a plain state dict).
  const TensorMap& tensors() const { return contents_.tensors; }
  /// The tensor called `name`, nullptr if absent.
  const TensorView* find(std::string_view name) const;
  /// `args` flattened to text ("nbits" -> "64", nested "a.b", list items "a.0"), whether it was a dict or a
  /// YAML text; for safetensors its `__metadata__`. Empty if the file has none.
  const ArgMap& args() const { return contents_.args; }
  /// `args` of a torch file with its types: a dict, the YAML text as it is, or None if there are none. What
  /// has no plain form is missing, `dropped_args` names it.
  const PlainValue& plain_args() const { return contents_.plain_args; }
  const std::vector<std::string>& dropped_args() const { return contents_.dropped_args; }
  /// `epoch`, if the file (or the `__metadata__` of a safetensors file) has one that is an integer.
  std::optional<std::int64_t> epoch() const { return contents_.epoch; }
  /// Top-level parts of the file in its own order.
  const std::vector<Section>& sections() const { return contents_.sections; }
  /// "torch" or "safetensors".
  std::string_view format() const { return format_; }
  std::uint64_t file_bytes() const { return file_.size(); }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  explicit Checkpoint(MappedFile file) : file_(std::move(file)) {}

  MappedFile file_;
  Contents contents_;
  std::string_view format_;
};

/// Copies rows [first_row, last_row) of the outermost axis as row-major float32 (other types converted), any
/// strides; a scalar (rank 0) is one row. Throws kUsage if the rows or `out`'s size do not fit, kUnsupported
/// for a type that has no numbers (int4).
void read_rows(const TensorView& tensor, std::int64_t first_row, std::int64_t last_row, std::span<float> out);

/// Copies elements [first, first + n) of the row-major order, bit by bit, where `out` has n elements' bytes;
/// any strides. Throws kUsage if they do not fit the tensor or `out` ends inside an element, kUnsupported for
/// int4.
void read_elements(const TensorView& tensor, std::uint64_t first, MutableByteView out);

}  // namespace sealite::checkpoint
