#include "runtime/content_hash.h"

#include "base/digest.h"
#include "base/mapped_file.h"
#include "base/parallel.h"

namespace sealite::runtime {

std::string content_hash(ByteView mapped) {
  PieceDigest digest(mapped.size());
  parallel_for(digest.pieces(), [&](std::size_t i) {
    const ByteView piece = mapped.subspan(digest.offset(i), digest.length(i));
    prefetch_pages(piece);
    digest.take(i, piece);
    release_pages(piece);
  });
  return to_hex(digest.digest());
}

std::string text_hash(std::string_view text) {
  return to_hex(digest_of(as_bytes(text)));
}

}  // namespace sealite::runtime
