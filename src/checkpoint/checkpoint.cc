#include "checkpoint/checkpoint.h"

#include <exception>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/extent.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/torch_file.h"

namespace sealite::checkpoint {
namespace {

Contents read_contents(ByteView file, std::string_view& format) {
  if (file.empty()) fail(ErrorCode::kMalformed, "the file is empty");
  if (is_zip(file)) {
    format = "torch";
    return read_torch(file);
  }
  if (is_legacy_torch(file)) {
    fail(ErrorCode::kUnsupported,
         "legacy torch format; load it and re-save it with torch.save(...) of torch >= 1.6");
  }
  if (is_safetensors(file)) {
    format = "safetensors";
    return read_safetensors(file);
  }
  fail(ErrorCode::kUnsupported, "neither a torch checkpoint (.pth, .pt) nor a .safetensors file");
}

}  // namespace

bool TensorView::contiguous() const {
  const auto count = element_count(shape);
  if (!count || shape.size() != strides.size()) return false;
  if (*count == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    // The stride of an axis of size 1 is never used and may be anything.
    if (shape[axis] != 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

Checkpoint Checkpoint::open(const std::filesystem::path& path) {
  Checkpoint checkpoint{MappedFile(path)};
  return add_context(path.string(), [&] {
    try {
      checkpoint.contents_ = read_contents(checkpoint.file_.bytes(), checkpoint.format_);
      return std::move(checkpoint);
    } catch (const std::bad_alloc&) {
      fail(ErrorCode::kNoMemory, "not enough memory to read it");
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {  // a library's own complaint that no reader foresaw
      fail(ErrorCode::kInternal, "unexpected: {}", printable(error.what()));
    }
  });
}

const TensorView* Checkpoint::find(std::string_view name) const {
  const auto found = contents_.tensors.find(name);
  return found == contents_.tensors.end() ? nullptr : &found->second;
}

}  // namespace sealite::checkpoint
