#include "runtime/content_hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "base/mapped_file.h"
#include "base/parallel.h"

namespace sealite::runtime {
namespace {

std::string to_hex(XXH128_hash_t hash) {
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string joined(std::vector<std::uint64_t> pieces, std::uint64_t size) {
  pieces.push_back(size);
  return to_hex(XXH3_128bits(pieces.data(), pieces.size() * sizeof(std::uint64_t)));
}

void put(std::uint64_t* place, ByteView piece) {
  const XXH128_hash_t hash = XXH3_128bits(piece.data(), piece.size());
  place[0] = hash.high64;
  place[1] = hash.low64;
}

}  // namespace

void ContentHash::add(ByteView piece) {
  pieces_.resize(pieces_.size() + 2);
  put(&pieces_[pieces_.size() - 2], piece);
  size_ += piece.size();
}

std::string ContentHash::hex() const {
  return joined(pieces_, size_);
}

std::string content_hash(ByteView mapped) {
  const std::size_t count = mapped.size() / kHashPiece + (mapped.size() % kHashPiece != 0 ? 1 : 0);
  std::vector<std::uint64_t> pieces(2 * count);
  parallel_for(count, [&](std::size_t i) {
    const std::size_t start = i * kHashPiece;
    const ByteView piece = mapped.subspan(start, std::min(kHashPiece, mapped.size() - start));
    prefetch_pages(piece);
    put(&pieces[2 * i], piece);
    release_pages(piece);
  });
  return joined(std::move(pieces), mapped.size());
}

std::string text_hash(std::string_view text) {
  return to_hex(XXH3_128bits(text.data(), text.size()));
}

}  // namespace sealite::runtime
