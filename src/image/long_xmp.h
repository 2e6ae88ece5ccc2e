#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sealite::image {

/// What begins a JPEG's segment with an XMP text …
inline constexpr std::string_view kXmpStart{"http://ns.adobe.com/xap/1.0/\0", 29};
/// … and one with a part of an XMP text that is longer than a segment.
inline constexpr std::string_view kLongXmpStart{"http://ns.adobe.com/xmp/extension/\0", 35};

/// A JPEG's short XMP text and the long one that it names (XMP specification, part 3, 1.1.3.1) as one text,
/// which names none; `parts` are the segments, each from `kLongXmpStart` on. Nothing if a part is missing, or
/// if the two are not written so that one can be put into the other.
std::optional<std::string> join_xmp(std::string_view brief, const std::vector<std::string>& parts);

}  // namespace sealite::image
