#include "runtime/content_hash.h"

#include "base/digest.h"
#include "base/mapped_file.h"
#include "base/parallel.h"

namespace sealite::runtime {

std::string content_hash(const MappedFile& file) {
  const ByteView mapped = file.bytes();
  PieceDigest digest(mapped.size());
  parallel_for(digest.pieces(), [&](std::size_t i) {
    const ByteView piece = mapped.subspan(digest.offset(i), digest.length(i));
    prefetch_pages(piece);
    digest.take(i, piece);
    file.release(piece);
  });
  return to_hex(digest.digest());
}

std::string text_hash(std::string_view text) {
  return to_hex(digest_of(as_bytes(text)));
}

}  // namespace sealite::runtime
