#include "checkpoint/pickle_writer.h"

#include <bit>
#include <map>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "checkpoint/extent.h"

namespace sealite::checkpoint {
namespace {

// Empty for newer types, whose storages are untyped.
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
    case DType::kFloat64:
      return "DoubleStorage";
    case DType::kInt16:
      return "ShortStorage";
    case DType::kUInt16:
    case DType::kUInt32:
    case DType::kUInt64:
      return {};
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

  // The only big-endian value of the format.
  void real(double value) {
    op('G');
    number(__builtin_bswap64(std::bit_cast<std::uint64_t>(value)), 8);
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
  const std::string_view storage_type = storage_class(tensor.type);
  const bool typed = !storage_type.empty();
  const std::uint64_t elements = element_count(tensor.shape).value_or(0);
  out.global("torch._utils", typed ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
  out.op('(');
  out.op('(');
  out.text("storage");
  out.global(typed ? "torch" : "torch.storage", typed ? storage_type : "UntypedStorage");
  out.text(std::to_string(storage));
  out.text("cpu");
  out.integer(static_cast<std::int64_t>(typed ? elements : dtype_bytes(tensor.type, elements)));
  out.op('t');
  out.op('Q');
  out.integer(0);
  out.integers(tensor.shape);
  out.integers(row_major_strides(tensor.shape));
  out.op('\x89');  // requires_grad = False
  out.empty_ordered_dict();
  if (!typed) out.global("torch", dtype_name(tensor.type));
  out.op('t');
  out.op('R');
}

class PickleWriter {
 public:
  PickleWriter(const NewCheckpoint& checkpoint, const std::vector<std::size_t>& storages)
      : checkpoint_(checkpoint), storages_(storages) {}

  std::string write() {
    out_.op('}');
    out_.op('(');
    if (checkpoint_.epoch) {
      out_.text("epoch");
      out_.integer(*checkpoint_.epoch);
    }
    out_.text("model");
    out_.empty_ordered_dict();
    out_.op('(');
    for (std::size_t i = 0; i < checkpoint_.model.size(); ++i) {
      out_.text(checkpoint_.model[i].name);
      write_tensor(checkpoint_.model[i], storages_[i], out_);
    }
    out_.op('u');
    for (const auto& [name, value] : checkpoint_.sections) {
      out_.text(name);
      write_value(value);
    }
    if (!checkpoint_.args_yaml.empty()) {
      out_.text("args");
      out_.text(checkpoint_.args_yaml);
    }
    out_.op('u');
    out_.op('.');
    return out_.take();
  }

 private:
  void write_value(const PlainValue& value) {
    switch (value.kind) {
      case PlainValue::Kind::kNone:
        return out_.op('N');
      case PlainValue::Kind::kBool:
        return out_.op(value.integer != 0 ? '\x88' : '\x89');
      case PlainValue::Kind::kInt:
        return out_.integer(value.integer);
      case PlainValue::Kind::kFloat:
        return out_.real(value.real);
      case PlainValue::Kind::kText:
        return out_.text(value.text);
      case PlainValue::Kind::kTuple:
        out_.op('(');
        for (const PlainValue& item : value.items) write_value(item);
        return out_.op('t');
      case PlainValue::Kind::kList:
        out_.op(']');
        return write_items(value, 'e');
      case PlainValue::Kind::kDict:
        out_.op('}');
        return write_items(value, 'u');
      case PlainValue::Kind::kTensor:
        return write_section_tensor(static_cast<std::size_t>(value.integer));
    }
  }

  // The items of the list or dict that was just begun, and the opcode that adds them to it.
  void write_items(const PlainValue& value, char add) {
    if (value.items.empty()) return;
    out_.op('(');
    for (const PlainValue& item : value.items) write_value(item);
    out_.op(add);
  }

  void write_section_tensor(std::size_t index) {
    if (index >= checkpoint_.section_tensors.size()) {
      fail(ErrorCode::kUsage, "a section names tensor {} of {}", index, checkpoint_.section_tensors.size());
    }
    write_tensor(checkpoint_.section_tensors[index], storages_[checkpoint_.model.size() + index], out_);
  }

  const NewCheckpoint& checkpoint_;
  const std::vector<std::size_t>& storages_;
  PickleText out_;
};

}  // namespace

std::string write_pickle(const NewCheckpoint& checkpoint, const std::vector<std::size_t>& storages) {
  return PickleWriter(checkpoint, storages).write();
}

}  // namespace sealite::checkpoint
