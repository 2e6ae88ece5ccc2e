#pragma once

#include <cstddef>
#include <istream>
#include <span>
#include <streambuf>

namespace sealite::image {

/// Bytes in memory as a stream that can be read and sought in.
class MemoryBuffer : public std::streambuf {
 public:
  explicit MemoryBuffer(std::span<const std::byte> bytes) {
    auto* start = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // streambuf's, only read
    setg(start, start, start + bytes.size());
  }

 protected:
  pos_type seekoff(off_type offset, std::ios_base::seekdir from, std::ios_base::openmode) override {
    const off_type base = from == std::ios_base::beg   ? 0
                          : from == std::ios_base::cur ? gptr() - eback()
                                                       : egptr() - eback();
    return seekpos(base + offset, std::ios_base::in);
  }
  pos_type seekpos(pos_type position, std::ios_base::openmode) override {
    const off_type at = position;
    if (at < 0 || at > egptr() - eback()) return -1;
    setg(eback(), eback() + at, egptr());
    return position;
  }
};

}  // namespace sealite::image
