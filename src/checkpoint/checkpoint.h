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
  bool is_model = false;    ///< The file's `tensors` are this part, or stand in it.
  /// What it holds that only code could rebuild: names of classes and functions, each once.
  std::vector<std::string> opaque{};
};

using TensorMap = std::map<std::string, TensorView, std::less<>>;
using ArgMap = std::map<std::string, std::string, std::less<>>;
/// Tensors of the model that have no `TensorView`, and what they are: "complex64", "sparse", a class's name.
using UnreadableMap = std::map<std::string, std::string, std::less<>>;

/// What a file says, before it has an owner: the result of the format readers.
struct Contents {
  TensorMap tensors;
  UnreadableMap unreadable;
  ArgMap args;
  PlainValue plain_args;
  std::vector<std::string> dropped_args;
  std::string opaque_args;  // its class, if `args` as a whole is opaque
  std::optional<std::int64_t> epoch;
  std::vector<Section> sections;
  std::vector<std::string> notes;
  std::string name_prefix;       // of the names that are meant, if not all are
  std::vector<MappedFile> more;  // what views look into besides the file
};

/// A checkpoint file, mapped and checked. Movable; its views never outlive it.
class Checkpoint {
 public:
  /// Opens a file of torch (zip, TorchScript, or of before 1.6) or a .safetensors file, told apart by content
  /// and not by name; nothing in it is executed and no weights are copied, but for those that are compressed.
  /// `key`: which of several state dicts, as `find_weights` has it. Throws kNotFound, kMalformed or
  /// kUnsupported (and kIo, kUsage), whatever the bytes.
  static Checkpoint open(const std::filesystem::path& path, const std::string& key = {});

  /// The tensors of the state dict that was chosen, by their names in it; what wraps the network ("module.")
  /// is taken off.
  const TensorMap& tensors() const { return contents_.tensors; }
  /// The tensor called `name`, nullptr if absent.
  const TensorView* find(std::string_view name) const;
  /// What else the state dict holds by such names, and what it is instead.
  const UnreadableMap& unreadable() const { return contents_.unreadable; }
  /// `args` flattened to text ("nbits" -> "64", nested "a.b", list items "a.0"), whether it was a dict or a
  /// YAML text; for safetensors its `__metadata__`. Empty if the file has none.
  const ArgMap& args() const { return contents_.args; }
  /// `args` of a torch file with its types: a dict, the YAML text as it is, or None if there are none. What
  /// has no plain form is missing, `dropped_args` names it.
  const PlainValue& plain_args() const { return contents_.plain_args; }
  const std::vector<std::string>& dropped_args() const { return contents_.dropped_args; }
  /// The name of its class if `args` is an object that only code could rebuild.
  const std::string& opaque_args() const { return contents_.opaque_args; }
  /// `epoch`, if the file (or the `__metadata__` of a safetensors file) has one that is an integer.
  std::optional<std::int64_t> epoch() const { return contents_.epoch; }
  /// Top-level parts of the file in its own order.
  const std::vector<Section>& sections() const { return contents_.sections; }
  /// What was found in an unusual place or by an unusual name, one sentence each.
  const std::vector<std::string>& notes() const { return contents_.notes; }
  /// "torch", "torchscript", "legacy torch" or "safetensors".
  std::string_view format() const { return format_; }
  /// Of all its files.
  std::uint64_t file_bytes() const;
  const std::filesystem::path& path() const { return file_.path(); }
  /// The files that an index names.
  std::vector<std::filesystem::path> shards() const;

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
