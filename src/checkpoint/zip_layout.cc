#include "checkpoint/zip_layout.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace sealite::checkpoint {
namespace {

constexpr std::uint64_t kStorageAlignment = 64;  // torch.load(mmap=True) wants aligned storages
constexpr std::uint64_t kLocalSize = 30, kExtraHead = 4, kLocalExtra64 = 16;
constexpr std::uint64_t kLargest32 = 0xFFFFFFFF;
constexpr std::uint64_t kLargest16 = 0xFFFF;
constexpr std::uint64_t kVersion = 45;  // needed for zip64
constexpr std::uint64_t kUtf8Names = 0x0800;
constexpr std::uint64_t kDate1980 = 0x0021;  // 1 January 1980: the same input gives the same file

void put(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8U * i)) & 0xFFU);
}

bool is_wide(std::uint64_t value) {
  return value >= kLargest32;
}

// What is common to both headers of an entry: version needed to CRC, sizes.
void put_description(std::string& out, const PlannedEntry& entry) {
  put(out, kVersion, 2);
  put(out, kUtf8Names, 2);
  put(out, 0, 2);  // stored
  put(out, 0, 2);  // time
  put(out, kDate1980, 2);
  put(out, entry.crc, 4);
  put(out, std::min(entry.size, kLargest32), 4);
  put(out, std::min(entry.size, kLargest32), 4);
  put(out, entry.name.size(), 2);
}

// The zip64 field: those of size (twice) and header that do not fit 32 bits.
std::string directory_extra(const PlannedEntry& entry) {
  std::string body;
  if (is_wide(entry.size)) {
    put(body, entry.size, 8);
    put(body, entry.size, 8);
  }
  if (is_wide(entry.header)) put(body, entry.header, 8);
  if (body.empty()) return body;
  std::string extra;
  put(extra, 0x0001, 2);
  put(extra, body.size(), 2);
  return extra + body;
}

void put_directory_row(std::string& out, const PlannedEntry& entry) {
  const std::string extra = directory_extra(entry);
  put(out, 0x02014b50, 4);
  put(out, kVersion, 2);  // made by
  put_description(out, entry);
  put(out, extra.size(), 2);
  put(out, 0, 2);  // comment
  put(out, 0, 2);  // disk
  put(out, 0, 2);  // internal attributes
  put(out, 0, 4);  // external attributes
  put(out, std::min(entry.header, kLargest32), 4);
  out += entry.name;
  out += extra;
}

}  // namespace

std::size_t ZipLayout::add(std::string name, std::uint64_t size) {
  PlannedEntry entry{.name = std::move(name), .size = size, .header = end_};
  const std::uint64_t zip64 = is_wide(size) ? kExtraHead + kLocalExtra64 : 0;
  entry.data = align_up(end_ + kLocalSize + entry.name.size() + zip64 + kExtraHead, kStorageAlignment);
  end_ = entry.data + size;
  entries_.push_back(std::move(entry));
  return entries_.size() - 1;
}

std::string ZipLayout::local_header(const PlannedEntry& entry) const {
  std::string out;
  put(out, 0x04034b50, 4);
  put_description(out, entry);
  put(out, entry.data - entry.header - kLocalSize - entry.name.size(), 2);  // extra fields
  out += entry.name;
  if (is_wide(entry.size)) {
    put(out, 0x0001, 2);
    put(out, kLocalExtra64, 2);
    put(out, entry.size, 8);
    put(out, entry.size, 8);
  }
  const std::uint64_t padding = entry.data - entry.header - out.size() - kExtraHead;
  out += "FB";
  put(out, padding, 2);
  out.append(padding, 'Z');
  return out;
}

std::string ZipLayout::directory() const {
  std::string out;
  for (const PlannedEntry& entry : entries_) put_directory_row(out, entry);
  const std::uint64_t size = out.size();
  const std::uint64_t count = entries_.size();
  put(out, 0x06064b50, 4);  // zip64 end record
  put(out, 44, 8);          // its size from here on
  put(out, kVersion, 2);
  put(out, kVersion, 2);
  put(out, 0, 4);
  put(out, 0, 4);
  put(out, count, 8);
  put(out, count, 8);
  put(out, size, 8);
  put(out, end_, 8);
  put(out, 0x07064b50, 4);  // its locator
  put(out, 0, 4);
  put(out, end_ + size, 8);
  put(out, 1, 4);
  put(out, 0x06054b50, 4);  // end record
  put(out, 0, 4);
  put(out, std::min(count, kLargest16), 2);
  put(out, std::min(count, kLargest16), 2);
  put(out, std::min(size, kLargest32), 4);
  put(out, std::min(end_, kLargest32), 4);
  put(out, 0, 2);
  return out;
}

}  // namespace sealite::checkpoint
