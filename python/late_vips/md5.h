#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace sealite::late_vips {

/// MD5 (RFC 1321) in lower-case hexadecimal. XMP names its long parts by it; nothing is secured with it.
std::string md5_hex(std::span<const std::uint8_t> data);

}  // namespace sealite::late_vips
