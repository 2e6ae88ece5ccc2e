#include "checkpoint/pickle_writer.h"

#include <map>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "checkpoint/extent.h"

namespace sealite::checkpoint {
namespace {

std::string_view storage_class(DType type) {
  switch (type) {
    case DType::kFloat32:
      return "FloatStorage";
    case DType::kFloat16:
      return "HalfStorage";
    case DType::kBFloat16:
      return "BFloat16Storage";
    case DType::kInt64:
      return "LongStorage";
    case DType::kInt32:
      return "IntStorage";
    case DType::kInt8:
      return "CharStorage";
    case DType::kUInt8:
      return "ByteStorage";
    case DType::kBool:
      return "BoolStorage";
    case DType::kInt4:
      break;
  }
  fail(ErrorCode::kUnsupported, "torch has no storage for {}", dtype_name(type));
}

// Appends opcodes; see unpickle.cc for what they look like.
class PickleText {
 public:
  PickleText() { bytes_ = "\x80\x02"; }

  void op(char code) { bytes_ += code; }

  void text(std::string_view value) {
    op('X');
    number(value.size(), 4);
    bytes_ += value;
  }

  void integer(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    if (value >= 0 && value <= 0xFF) {
      op('K');
      number(bits, 1);
    } else if (value >= 0 && value <= 0xFFFF) {
      op('M');
      number(bits, 2);
    } else if (std::in_range<std::int32_t>(value)) {
      op('J');
      number(bits, 4);
    } else {
      op('\x8a');
      number(8, 1);
      number(bits, 8);
    }
  }

  void integers(const std::vector<std::int64_t>& values) {
    op('(');
    for (const std::int64_t value : values) integer(value);
    op('t');
  }

  // Names are written once and recalled after that. At most 256 differ, one byte numbers them.
  void global(std::string_view module, std::string_view name) {
    const auto [at, fresh] = memo_.try_emplace(fmt::format("{}\n{}\n", module, name), memo_.size());
    if (fresh) {
      op('c');
      bytes_ += at->first;
    }
    op(fresh ? 'q' : 'h');
    number(at->second, 1);
  }

  void empty_ordered_dict() {
    global("collections", "OrderedDict");
    bytes_ += ")R";
  }

  std::string take() { return std::move(bytes_); }

 private:
  void number(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
      bytes_ += static_cast<char>((value >> (8U * static_cast<unsigned>(i))) & 0xFFU);
  }

  std::string bytes_;
  std::map<std::string, std::size_t, std::less<>> memo_;
};

void write_tensor(const NewTensor& tensor, std::size_t storage, PickleText& out) {
  out.global("torch._utils", "_rebuild_tensor_v2");
  out.op('(');
  out.op('(');
  out.text("storage");
  out.global("torch", storage_class(tensor.type));
  out.text(std::to_string(storage));
  out.text("cpu");
  out.integer(static_cast<std::int64_t>(element_count(tensor.shape).value_or(0)));
  out.op('t');
  out.op('Q');
  out.integer(0);
  out.integers(tensor.shape);
  out.integers(row_major_strides(tensor.shape));
  out.op('\x89');  // requires_grad = False
  out.empty_ordered_dict();
  out.op('t');
  out.op('R');
}

}  // namespace

std::string write_pickle(const NewCheckpoint& checkpoint, const std::vector<std::size_t>& storages) {
  PickleText out;
  out.op('}');
  out.op('(');
  if (checkpoint.epoch) {
    out.text("epoch");
    out.integer(*checkpoint.epoch);
  }
  out.text("model");
  out.empty_ordered_dict();
  out.op('(');
  for (std::size_t i = 0; i < checkpoint.model.size(); ++i) {
    out.text(checkpoint.model[i].name);
    write_tensor(checkpoint.model[i], storages[i], out);
  }
  out.op('u');
  if (!checkpoint.args_yaml.empty()) {
    out.text("args");
    out.text(checkpoint.args_yaml);
  }
  out.op('u');
  out.op('.');
  return out.take();
}

}  // namespace sealite::checkpoint
