#include "checkpoint/zip_index.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"

namespace sealite::checkpoint {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::size_t kLocalHeaderSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56,
                      kLocator64Size = 20;
constexpr std::uint32_t kMax32 = 0xFFFFFFFF;  // "look in the zip64 field"
constexpr std::uint16_t kMax16 = 0xFFFF;
constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kEncrypted = 0x0001, kSizesAfterData = 0x0008;
// A full ChunkySeal file has about 4,000 entries.
constexpr std::uint64_t kMaxEntries = std::uint64_t{1} << 20U;

constexpr std::uint16_t kStored = 0, kDeflated = 8;

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

// One row of the central directory, zip64 fields resolved.
struct DirectoryRow {
  std::string_view name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t header = 0;  // offset of the local header
  std::uint64_t data = 0;    // offset of the contents
};

[[noreturn]] void fail_zip(std::string_view what) {
  fail(ErrorCode::kMalformed, "broken zip: {}; the download may be incomplete, fetch the file again", what);
}

[[noreturn]] void fail_entry(std::string_view name, std::string_view what) {
  fail(ErrorCode::kMalformed, "broken zip: entry '{}' {}", printable(name), what);
}

// Whether [offset, offset + size) lies inside [0, limit).
bool fits(std::uint64_t offset, std::uint64_t size, std::uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

// The end record stands last, before a comment of at most 65535 bytes. One whose comment reaches exactly to
// the file's end is it; else the last one whose comment lies inside the file, with something behind it that
// is no part of the zip (a newline, or what a signature tool appends).
std::size_t find_end(ByteView file) {
  if (file.size() < kEndSize) fail_zip("shorter than its smallest part");
  const std::size_t last = file.size() - kEndSize;
  const std::size_t first = last - std::min<std::size_t>(last, kMax16);
  std::optional<std::size_t> with_tail;
  for (std::size_t at = last + 1; at-- > first;) {
    if (load<std::uint32_t>(file, at) != kEndSignature) continue;
    const std::size_t end = at + kEndSize + load<std::uint16_t>(file, at + 20);
    if (end == file.size()) return at;
    if (end < file.size() && !with_tail) with_tail = at;
  }
  if (with_tail) return *with_tail;
  fail_zip("no end record, the file ends early");
}

std::optional<Directory> find_directory64(ByteView file, std::size_t end) {
  if (end < kLocator64Size || load<std::uint32_t>(file, end - kLocator64Size) != kLocator64Signature) {
    return std::nullopt;
  }
  const auto record = load<std::uint64_t>(file, end - kLocator64Size + 8);
  if (!fits(record, kEnd64Size, end - kLocator64Size) ||
      load<std::uint32_t>(file, record) != kEnd64Signature) {
    fail_zip("the zip64 end record is not where the file says");
  }
  if (load<std::uint32_t>(file, record + 16) != 0 || load<std::uint32_t>(file, record + 20) != 0) {
    fail(ErrorCode::kUnsupported, "zip split over several disks");
  }
  const Directory found{load<std::uint64_t>(file, record + 48), load<std::uint64_t>(file, record + 40),
                        load<std::uint64_t>(file, record + 32)};
  if (!fits(found.offset, found.size, record)) fail_zip("the directory lies outside the file");
  return found;
}

Directory find_directory(ByteView file) {
  const std::size_t end = find_end(file);
  const auto wide = find_directory64(file, end);
  const auto disk = load<std::uint16_t>(file, end + 4);
  const auto entries = load<std::uint16_t>(file, end + 10);
  const auto size = load<std::uint32_t>(file, end + 12);
  const auto offset = load<std::uint32_t>(file, end + 16);
  if (wide) {
    const bool agree = (entries == kMax16 || entries == wide->entries) &&
                       (size == kMax32 || size == wide->size) && (offset == kMax32 || offset == wide->offset);
    if (!agree) fail_zip("its two end records contradict each other");
    return *wide;
  }
  if (disk != 0 && disk != kMax16) fail(ErrorCode::kUnsupported, "zip split over several disks");
  if (!fits(offset, size, end)) fail_zip("the directory lies outside the file");
  return {offset, size, entries};
}

// Replaces those of `fields` that say kMax32 by the values of the zip64 extra field, in its order.
void widen(std::string_view name, ByteView extra, std::initializer_list<std::uint64_t*> fields) {
  if (std::ranges::none_of(fields, [](const std::uint64_t* field) { return *field == kMax32; })) return;
  while (extra.size() >= 4) {
    const auto id = load<std::uint16_t>(extra);
    const std::size_t size = load<std::uint16_t>(extra, 2);
    if (size > extra.size() - 4) break;
    ByteView body = extra.subspan(4, size);
    extra = extra.subspan(4 + size);
    if (id != kZip64Extra) continue;
    for (std::uint64_t* field : fields) {
      if (*field != kMax32) continue;
      if (body.size() < 8) fail_entry(name, "has a zip64 field that is too short");
      *field = load<std::uint64_t>(body);
      body = body.subspan(8);
    }
    return;
  }
  fail_entry(name, "is over 4 GiB without a zip64 field");
}

// Reads the row at the front of `rest` and removes it.
DirectoryRow take_row(ByteView& rest) {
  if (rest.size() < kCentralSize || load<std::uint32_t>(rest) != kCentralSignature) {
    fail_zip("the directory is damaged");
  }
  const std::size_t name_size = load<std::uint16_t>(rest, 28);
  const std::size_t extra_size = load<std::uint16_t>(rest, 30);
  const std::size_t comment_size = load<std::uint16_t>(rest, 32);
  const std::size_t total = kCentralSize + name_size + extra_size + comment_size;
  if (total > rest.size()) fail_zip("the directory ends early");
  DirectoryRow row;
  row.name = as_text(rest.subspan(kCentralSize, name_size));
  row.flags = load<std::uint16_t>(rest, 8);
  row.method = load<std::uint16_t>(rest, 10);
  row.crc = load<std::uint32_t>(rest, 16);
  row.packed_size = load<std::uint32_t>(rest, 20);
  row.size = load<std::uint32_t>(rest, 24);
  row.header = load<std::uint32_t>(rest, 42);
  widen(row.name, rest.subspan(kCentralSize + name_size, extra_size),
        {&row.size, &row.packed_size, &row.header});
  rest = rest.subspan(total);
  return row;
}

void check_method(const DirectoryRow& row) {
  if ((row.flags & kEncrypted) != 0) {
    fail(ErrorCode::kUnsupported, "zip entry '{}' is encrypted", printable(row.name));
  }
  if (row.method == kDeflated) return;
  if (row.method != kStored) {
    fail(ErrorCode::kUnsupported,
         "zip entry '{}' is compressed (method {}); torch stores its entries without compression. Was the "
         "file zipped again? Unzip it and use the .pth inside",
         printable(row.name), row.method);
  }
  if (row.packed_size != row.size) fail_entry(row.name, "is stored but has two different sizes");
}

// Finds the contents behind the local header, which must say the same as the directory.
void locate_data(ByteView file, std::uint64_t limit, DirectoryRow& row) {
  if (!fits(row.header, kLocalHeaderSize, limit) ||
      load<std::uint32_t>(file, row.header) != kLocalSignature) {
    fail_entry(row.name, "has no header where the directory says");
  }
  const ByteView header = file.subspan(row.header, limit - row.header);
  const std::size_t name_size = load<std::uint16_t>(header, 26);
  const std::size_t extra_size = load<std::uint16_t>(header, 28);
  const std::size_t header_size = kLocalHeaderSize + name_size + extra_size;
  if (header_size > header.size()) fail_entry(row.name, "has a header that leaves the file");
  if (as_text(header.subspan(kLocalHeaderSize, name_size)) != row.name ||
      load<std::uint16_t>(header, 8) != row.method) {
    fail_entry(row.name, "has a header that contradicts the directory");
  }
  std::uint64_t packed = load<std::uint32_t>(header, 18);
  std::uint64_t size = load<std::uint32_t>(header, 22);
  // Sizes that follow the data leave zeros here.
  const bool later = (load<std::uint16_t>(header, 6) & kSizesAfterData) != 0;
  if (!later) {
    widen(row.name, header.subspan(kLocalHeaderSize + name_size, extra_size), {&size, &packed});
    if (size != row.size || packed != row.packed_size) fail_entry(row.name, "has a header with another size");
  }
  row.data = row.header + header_size;
  if (!fits(row.data, row.packed_size, limit)) fail_entry(row.name, "leaves the file");
}

void check_overlaps(std::vector<DirectoryRow>& rows) {
  std::ranges::sort(rows, {}, &DirectoryRow::header);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i - 1].data + rows[i - 1].packed_size > rows[i].header) {
      fail_entry(rows[i].name, fmt::format("overlaps '{}'", printable(rows[i - 1].name)));
    }
  }
}

}  // namespace

ZipIndex read_zip_index(ByteView file) {
  const Directory directory = find_directory(file);
  if (directory.entries > kMaxEntries) {
    fail(ErrorCode::kMalformed, "zip with {} entries, at most {} are expected", directory.entries,
         kMaxEntries);
  }
  ByteView rest = file.subspan(directory.offset, directory.size);
  std::vector<DirectoryRow> rows;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    rows.push_back(take_row(rest));
    check_method(rows.back());
    locate_data(file, directory.offset, rows.back());
  }
  if (!rest.empty()) fail_zip("the directory holds more than the end record says");
  check_overlaps(rows);
  ZipIndex index;
  for (const DirectoryRow& row : rows) {
    const ZipEntry entry{file.subspan(row.data, row.packed_size), row.size, row.method == kDeflated, row.crc};
    const bool fresh = index.emplace(row.name, entry).second;
    if (!fresh) fail_entry(row.name, "appears twice");
  }
  return index;
}

void check_crc(std::string_view name, const ZipEntry& entry, ByteView bytes) {
  if (entry.crc == 0) return;
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  const auto found = static_cast<std::uint32_t>(::crc32_z(0, data, bytes.size()));
  if (found != entry.crc) {
    fail_entry(name,
               fmt::format("has checksum {:08x}, expected {:08x}: the file is damaged", found, entry.crc));
  }
}

}  // namespace sealite::checkpoint
