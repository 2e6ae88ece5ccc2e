#include "checkpoint/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/memory_limit.h"
#include "base/parallel.h"
#include "base/utf8.h"
#include "checkpoint/growth.h"

namespace sealite::checkpoint {
namespace {

constexpr std::uint64_t kAlignment = 64;
// zlib counts in 32 bits.
constexpr std::size_t kPiece = std::size_t{1} << 30U;

// A zlib stream that ends with its scope.
class Inflater {
 public:
  Inflater() {
    // Negative: no zlib header, as in zip files.
    if (::inflateInit2(&stream_, -MAX_WBITS) != Z_OK)
      fail(ErrorCode::kNoMemory, "not enough memory to inflate");
  }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Whether `packed` inflates to exactly the bytes of `out`.
  bool fills(ByteView packed, MutableByteView out) {
    int status = Z_OK;
    std::byte beyond{};  // a stream that goes on does so into here
    while (status == Z_OK) {
      check_cancelled();
      const std::size_t in_now = std::min(packed.size(), kPiece), out_now = std::min(out.size(), kPiece);
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): zlib does not write there
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
      stream_.avail_in = static_cast<uInt>(in_now);
      stream_.next_out = reinterpret_cast<Bytef*>(out.empty() ? &beyond : out.data());
      stream_.avail_out = static_cast<uInt>(out.empty() ? 1 : out_now);
      status = ::inflate(&stream_, Z_NO_FLUSH);
      packed = packed.subspan(in_now - stream_.avail_in);
      if (out.empty()) {
        if (stream_.avail_out == 0) return false;
      } else {
        out = out.subspan(out_now - stream_.avail_out);
      }
    }
    return status == Z_STREAM_END && out.empty() && packed.empty();
  }

 private:
  z_stream stream_{};
};

void check_size(std::uint64_t inflated, std::uint64_t packed, std::uint64_t small) {
  if (inflated > std::max(small, kMostGrowth * packed)) {
    fail(ErrorCode::kUnsupported,
         "its compressed entries say that they hold {} bytes, more than {} times the {} that they take; save "
         "it with torch.save, which does not compress",
         inflated, kMostGrowth, packed);
  }
  // Memory that is shared is not counted by the limit itself.
  if (const auto limit = memory_limit(); limit && inflated > *limit)
    fail(ErrorCode::kNoMemory, "its compressed entries take {} bytes, and the limit is {}", inflated, *limit);
}

}  // namespace

Contained contents_of(const std::vector<std::pair<std::string_view, const ZipEntry*>>& entries,
                      std::uint64_t small) {
  std::uint64_t total = 0, packed = 0;
  std::vector<std::uint64_t> places(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ZipEntry& entry = *entries[i].second;
    if (!entry.deflated) continue;
    places[i] = total;
    const auto next = checked_add(total, entry.size);
    if (!next || *next > std::numeric_limits<std::int64_t>::max() - kAlignment)
      fail(ErrorCode::kMalformed, "broken zip: its entries hold more than 2^63 bytes");
    total = align_up(*next, kAlignment);
    packed += entry.packed.size();
  }
  check_size(total, packed, small);
  const auto fill = [&](MutableByteView memory) {
    parallel_for(entries.size(), [&](std::size_t i) {
      const auto& [name, entry] = entries[i];
      if (!entry->deflated) return;
      const MutableByteView out = memory.subspan(places[i], entry->size);
      if (!Inflater().fills(entry->packed, out)) {
        fail(ErrorCode::kMalformed,
             "broken zip: entry '{}' does not inflate to the {} bytes that it should have", printable(name),
             entry->size);
      }
      check_crc(name, *entry, out);
    });
  };
  Contained contained{{}, MappedFile::filled(total, "a zip's compressed entries", fill)};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ZipEntry& entry = *entries[i].second;
    contained.bytes.push_back(entry.deflated ? contained.memory.bytes().subspan(places[i], entry.size)
                                             : entry.packed);
  }
  return contained;
}

}  // namespace sealite::checkpoint
