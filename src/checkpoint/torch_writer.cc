#include "checkpoint/torch_writer.h"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "checkpoint/pickle_writer.h"
#include "checkpoint/zip_layout.h"

namespace sealite::checkpoint {
namespace {

constexpr std::size_t kMaxName = 1024;

struct StorageBlock {
  std::size_t entry = 0;  // index into the layout
  const NewTensor* tensor = nullptr;
  std::uint64_t offset = 0;  // inside the tensor
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
};

std::uint32_t crc_of(ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

class TorchWriter {
 public:
  TorchWriter(const std::filesystem::path& path, const NewCheckpoint& checkpoint)
      : checkpoint_(checkpoint), file_(path) {
    for (const NewTensor& tensor : checkpoint.model) tensors_.push_back(&tensor);
    for (const NewTensor& tensor : checkpoint.section_tensors) tensors_.push_back(&tensor);
  }

  void write() {
    assign_storages();
    plan();
    file_.reserve(layout_.file_size());
    write_data();
    write_small();
    write_headers();
    file_.commit();
  }

 private:
  // Gives each tensor the number of its storage; tensors that share one get the same.
  void assign_storages() {
    std::map<std::string_view, std::size_t> seen;  // name -> index
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const NewTensor& tensor = *tensors_[i];
      check_new_tensor(tensor);
      if (tensor.same_storage_as.empty()) {
        storages_.push_back(owners_.size());
        owners_.push_back(&tensor);
      } else {
        const auto other = seen.find(tensor.same_storage_as);
        if (other == seen.end()) {
          fail(ErrorCode::kUsage, "tensor '{}' shares the storage of '{}', which no earlier tensor is called",
               printable(tensor.name), printable(tensor.same_storage_as));
        }
        const NewTensor& owner = *tensors_[other->second];
        if (owner.type != tensor.type || element_count(owner.shape) != element_count(tensor.shape)) {
          fail(ErrorCode::kUsage, "tensor '{}' shares the storage of '{}' but has another type or size",
               printable(tensor.name), printable(owner.name));
        }
        storages_.push_back(storages_[other->second]);
      }
      if (!seen.emplace(tensor.name, i).second)
        fail(ErrorCode::kUsage, "two tensors are called '{}'", printable(tensor.name));
    }
  }

  // The entries and their order are those of torch 2.
  void plan() {
    const std::string folder = checkpoint_.archive_name.empty() ? "archive" : checkpoint_.archive_name;
    if (folder.find('/') != std::string::npos || folder.size() > kMaxName || !is_utf8(folder)) {
      fail(ErrorCode::kUsage, "archive name '{}' holds a '/', is too long or not UTF-8", printable(folder));
    }
    const auto add_small = [&](std::string_view name, std::string text) {
      const std::size_t entry = layout_.add(fmt::format("{}/{}", folder, name), text.size());
      small_.emplace_back(entry, std::move(text));
    };
    add_small("data.pkl", write_pickle(checkpoint_, storages_));
    add_small(".format_version", "1");
    add_small(".storage_alignment", "64");
    add_small("byteorder", "little");
    for (std::size_t storage = 0; storage < owners_.size(); ++storage) {
      const NewTensor& tensor = *owners_[storage];
      const std::uint64_t size = new_tensor_bytes(tensor);
      const std::size_t entry = layout_.add(fmt::format("{}/data/{}", folder, storage), size);
      for (std::uint64_t offset = 0; offset < size; offset += kBlockBytes) {
        blocks_.push_back({entry, &tensor, offset, std::min(kBlockBytes, size - offset)});
      }
    }
    add_small("version", "3\n");
  }

  void write_data() {
    std::uint64_t total = 0;
    for (const StorageBlock& block : blocks_) total += block.size;
    Progress progress("writing", total);
    parallel_for(blocks_.size(), [&](std::size_t i) {
      StorageBlock& block = blocks_[i];
      // Not zeroed: `fill` makes every byte.
      const auto buffer = std::make_unique_for_overwrite<std::byte[]>(block.size);
      const MutableByteView bytes(buffer.get(), block.size);
      block.tensor->fill(block.offset, bytes);
      block.crc = crc_of(bytes);
      file_.write(layout_.entries()[block.entry].data + block.offset, bytes);
      progress.advance(block.size);
    });
  }

  void write_small() {
    for (const auto& [entry, text] : small_) {
      layout_.entries()[entry].crc = crc_of(as_bytes(text));
      file_.write(layout_.entries()[entry].data, as_bytes(text));
    }
  }

  void write_headers() {
    for (const StorageBlock& block : blocks_) {
      PlannedEntry& entry = layout_.entries()[block.entry];
      const uLong both = ::crc32_combine(entry.crc, block.crc, static_cast<z_off_t>(block.size));
      entry.crc = static_cast<std::uint32_t>(both);
    }
    for (const PlannedEntry& entry : layout_.entries()) {
      file_.write(entry.header, as_bytes(layout_.local_header(entry)));
    }
    file_.write(layout_.directory_offset(), as_bytes(layout_.directory()));
  }

  const NewCheckpoint& checkpoint_;
  AtomicFile file_;
  ZipLayout layout_;
  std::vector<const NewTensor*> tensors_;  // the model's, then the sections'
  std::vector<std::size_t> storages_;      // by tensor
  std::vector<const NewTensor*> owners_;   // by storage: the tensor that fills it
  std::vector<StorageBlock> blocks_;
  std::vector<std::pair<std::size_t, std::string>> small_;  // entry, contents
};

}  // namespace

void write_torch_file(const std::filesystem::path& path, const NewCheckpoint& checkpoint) {
  TorchWriter(path, checkpoint).write();
}

}  // namespace sealite::checkpoint
