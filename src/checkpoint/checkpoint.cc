#include "checkpoint/checkpoint.h"

#include <exception>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/extent.h"
#include "checkpoint/legacy_torch.h"
#include "checkpoint/other_formats.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/shards.h"
#include "checkpoint/torch_file.h"
#include "checkpoint/unwrap_names.h"

namespace sealite::checkpoint {
namespace {

// Of one file that holds tensors.
Contents read_contents(ByteView file, const std::string& key, std::string_view& format) {
  if (file.empty()) fail(ErrorCode::kMalformed, "the file is empty");
  if (is_zip(file)) {
    TorchContents torch = read_torch(file, key);
    format = torch.script ? "torchscript" : "torch";
    if (torch.script) torch.contents.name_prefix = key;
    return std::move(torch.contents);
  }
  if (is_legacy_torch(file)) {
    format = "legacy torch";
    return read_legacy_torch(file, key);
  }
  if (is_safetensors(file)) {
    format = "safetensors";
    Contents contents = read_safetensors(file);
    contents.name_prefix = key;
    return contents;
  }
  if (const auto known = other_format(file)) fail(ErrorCode::kUnsupported, "it is {}", *known);
  fail(ErrorCode::kUnsupported, "neither a torch checkpoint (.pth, .pt) nor a .safetensors file");
}

Contents read_any(const MappedFile& file, const std::string& key, std::string_view& format) {
  if (!is_shard_index(file.bytes())) return read_contents(file.bytes(), key, format);
  const std::filesystem::path folder = file.path().parent_path();
  Contents contents =
      read_shards(file.bytes(), folder, [&](ByteView shard) { return read_contents(shard, "", format); });
  contents.name_prefix = key;
  return contents;
}

std::filesystem::path file_of(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) ? find_shard_index(path) : path;
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

Checkpoint Checkpoint::open(const std::filesystem::path& path, const std::string& key) {
  Checkpoint checkpoint{MappedFile(file_of(path))};
  return add_context(path.string(), [&] {
    try {
      checkpoint.contents_ = read_any(checkpoint.file_, key, checkpoint.format_);
      unwrap_names(checkpoint.contents_);
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

std::uint64_t Checkpoint::file_bytes() const {
  std::uint64_t bytes = file_.size();
  for (const MappedFile& file : contents_.more) {
    if (!file.copied()) bytes += file.size();
  }
  return bytes;
}

std::vector<std::filesystem::path> Checkpoint::shards() const {
  std::vector<std::filesystem::path> paths;
  for (const MappedFile& file : contents_.more) {
    if (!file.copied()) paths.push_back(file.path());
  }
  return paths;
}

const TensorView* Checkpoint::find(std::string_view name) const {
  const auto found = contents_.tensors.find(name);
  return found == contents_.tensors.end() ? nullptr : &found->second;
}

}  // namespace sealite::checkpoint
