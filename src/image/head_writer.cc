#include "image/head_writer.h"

#include <glib.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/bytes.h"
#include "image/boxes.h"
#include "image/heif_items.h"
#include "image/long_xmp.h"
#include "image/metadata.h"

namespace sealite::image {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kLongestSegment = 65533;
constexpr std::string_view kExifStart = "Exif\0\0"sv;

std::string chunk(std::string_view kind, std::string_view contents) {
  std::string body(kind);
  body += contents;
  const auto* const data = reinterpret_cast<const Bytef*>(body.data());
  return to_big_endian(contents.size(), 4) + body + to_big_endian(::crc32_z(0, data, body.size()), 4);
}

std::string segment(unsigned marker, std::string_view contents) {
  std::string text = {'\xFF', static_cast<char>(marker)};
  text += to_big_endian(contents.size() + 2, 2);
  text += contents;
  return text;
}

std::uint64_t rounded(double value, double most) {
  return static_cast<std::uint64_t>(std::clamp(std::round(value), 1.0, most));
}

std::string png_density(const PixelDensity& density) {
  constexpr double kMost = 0x7FFFFFFF;
  return chunk("pHYs", to_big_endian(rounded(density.x, kMost), 4) +
                           to_big_endian(rounded(density.y, kMost), 4) + (density.ratio_only ? '\0' : '\1'));
}

/// In dots per inch, or centimetre where that is exact and inches are not.
std::string jfif(const std::optional<PixelDensity>& density) {
  constexpr double kInch = 0.0254;
  constexpr double kMost = 65535;
  std::string contents("JFIF\0\1\1", 7);
  if (!density) return segment(0xE0, contents + std::string("\0\0\1\0\1\0\0", 7));
  const double inches = density->ratio_only ? 1 : kInch;
  const bool metric =
      !density->ratio_only && std::fmod(density->x, 100) == 0 && std::fmod(density->y, 100) == 0;
  const double unit = metric ? 0.01 : inches;
  contents.push_back(density->ratio_only ? '\0' : metric ? '\2' : '\1');
  contents += to_big_endian(rounded(density->x * unit, kMost), 2);
  contents += to_big_endian(rounded(density->y * unit, kMost), 2);
  return segment(0xE0, contents + std::string(2, '\0'));
}

/// A text that is longer than a segment lies in several, and a short one names them (XMP specification, part
/// 3, 1.1.3.1).
std::string xmp_segments(const std::string& xmp) {
  if (xmp.empty()) return {};
  if (xmp.size() + kXmpStart.size() <= kLongestSegment) return segment(0xE1, std::string(kXmpStart) + xmp);
  gchar* const sum =
      g_compute_checksum_for_data(G_CHECKSUM_MD5, reinterpret_cast<const guchar*>(xmp.data()), xmp.size());
  std::string name(sum);
  g_free(sum);
  std::ranges::transform(name, name.begin(), [](char c) { return g_ascii_toupper(c); });
  std::string all = segment(
      0xE1, std::string(kXmpStart) +
                "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
                "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" "
                "xmlns:xmpNote=\"http://ns.adobe.com/xmp/note/\" xmpNote:HasExtendedXMP=\"" +
                name + "\"/></rdf:RDF></x:xmpmeta>");
  constexpr std::size_t kPart = 65000;
  for (std::size_t at = 0; at < xmp.size(); at += kPart) {
    all += segment(0xE1, std::string(kLongXmpStart) + name + to_big_endian(xmp.size(), 4) +
                             to_big_endian(at, 4) + xmp.substr(at, kPart));
  }
  return all;
}

std::optional<std::string> png_with(const std::string& encoded, const Head& head) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kIhdrEnd = 33;
  std::string profile;
  for (std::size_t at = kSignature; at + 8 <= encoded.size();) {
    const std::uint64_t length = read_big_endian(std::string_view(encoded).substr(at, 4));
    const std::string_view kind = std::string_view(encoded).substr(at + 4, 4);
    if (kind == "IDAT") {
      std::string file = encoded.substr(0, kIhdrEnd);
      const auto add = [&](bool before_profile) {
        for (const Block& block : head.blocks) {
          const bool text = block.kind == "tEXt" || block.kind == "zTXt" || block.kind == "iTXt";
          if (text != before_profile) file += chunk(block.kind, block.contents);
        }
      };
      add(true);
      file += profile;
      if (head.density) file += png_density(*head.density);
      if (!head.exif.empty()) file += chunk("eXIf", head.exif);
      if (!head.xmp.empty()) file += chunk("iTXt", std::string("XML:com.adobe.xmp\0\0\0\0\0", 22) + head.xmp);
      add(false);
      return file + encoded.substr(at);
    }
    if (encoded.size() - at < length + 12) return std::nullopt;
    if (kind == "iCCP") profile = encoded.substr(at, static_cast<std::size_t>(length) + 12);
    at += static_cast<std::size_t>(length) + 12;
  }
  return std::nullopt;
}

std::optional<std::string> jpeg_with(const std::string& encoded, const Head& head) {
  std::string profile;
  for (std::size_t at = 2; at + 4 <= encoded.size();) {
    const auto marker = static_cast<unsigned char>(encoded[at + 1]);
    const auto length =
        static_cast<std::size_t>(read_big_endian(std::string_view(encoded).substr(at + 2, 2)));
    const bool app = marker >= 0xE0 && marker <= 0xEF;
    if (!app && marker != 0xFE) {
      std::string file = encoded.substr(0, 2) + jfif(head.density);
      if (!head.exif.empty()) file += segment(0xE1, std::string(kExifStart) + head.exif);
      file += xmp_segments(head.xmp);
      std::string comments;
      for (const Block& block : head.blocks) {
        if (block.kind == "COM") {
          comments += segment(0xFE, block.contents);
        } else {
          file += segment(0xE0U + static_cast<unsigned>(std::stoi(block.kind.substr(3))), block.contents);
        }
      }
      return file.append(profile).append(comments).append(encoded, at);
    }
    if (encoded.size() - at < length + 2) return std::nullopt;
    if (marker == 0xE2) profile += encoded.substr(at, length + 2);
    at += length + 2;
  }
  return std::nullopt;
}

std::string riff_chunk(std::string_view kind, std::string_view contents) {
  std::string text = std::string(kind) + to_little_endian(contents.size(), 4) + std::string(contents);
  if (contents.size() % 2 != 0) text.push_back('\0');
  return text;
}

/// libvips' EXIF is made by libexif: the source's takes its place.
std::string webp_with(const std::string& encoded, const Head& head) {
  constexpr unsigned kHasExif = 8;
  std::string chunks;
  for (std::size_t at = 12; at + 8 <= encoded.size();) {
    const std::size_t length = load<std::uint32_t>(as_bytes(encoded), at + 4);
    const std::string kind = encoded.substr(at, 4);
    std::string contents = encoded.substr(at + 8, length);
    if (kind == "VP8X" && !contents.empty()) {
      const auto flags = static_cast<unsigned char>(contents[0]) & ~kHasExif;
      contents[0] = static_cast<char>(head.exif.empty() ? flags : flags | kHasExif);
    }
    if (kind != "EXIF") chunks += riff_chunk(kind, contents);
    at += 8 + length + length % 2;
  }
  if (!head.exif.empty()) chunks += riff_chunk("EXIF", head.exif);
  return riff_chunk("RIFF", "WEBP" + chunks);
}

std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The blocks that the format has a place for; the kinds of the others go to `lost`.
std::vector<Block> blocks_for(const Beside& beside, FileFormat format, std::vector<std::string>& lost) {
  std::vector<Block> blocks;
  for (const Block& block : beside.png) {
    if (format == FileFormat::kPng) {
      blocks.push_back(block);
    } else {
      lost.push_back(block.kind);
    }
  }
  for (const Block& block : beside.jpeg) {
    if (format == FileFormat::kJpeg) {
      blocks.push_back(block);
    } else {
      lost.push_back(block.kind);
    }
  }
  for (const std::string& comment : beside.comments) {
    if (format == FileFormat::kJpeg) {
      blocks.push_back({"COM", comment});
    } else if (format == FileFormat::kPng && comment.find('\0') == std::string::npos) {
      blocks.push_back({"tEXt", std::string("Comment\0", 8) + comment});
    } else {
      lost.emplace_back("a comment");
    }
  }
  return blocks;
}

}  // namespace

Head make_head(const Metadata& metadata, FileFormat format, std::vector<std::string>& left_out) {
  const Beside& beside = metadata.beside();
  Head head;
  left_out = beside.lost;
  std::vector<std::string> lost;
  head.blocks = blocks_for(beside, format, lost);
  head.density = beside.density;
  head.xmp = text_of(metadata_block(metadata, MetadataBlock::kXmp));
  head.exif = text_of(metadata_block(metadata, MetadataBlock::kExif));
  if (head.exif.starts_with(kExifStart)) head.exif.erase(0, kExifStart.size());
  if (format == FileFormat::kJpeg && announces_gain_map(head.xmp)) {
    head.xmp.clear();
    left_out.emplace_back("the XMP is left out: it announces a gain map that is not there");
  }
  if (format == FileFormat::kJpeg && head.exif.size() + kExifStart.size() > kLongestSegment) {
    head.exif.clear();
    left_out.emplace_back("EXIF is left out: it is too long for a JPEG");
  }
  std::ranges::sort(lost);
  lost.erase(std::unique(lost.begin(), lost.end()), lost.end());
  std::string kinds;
  for (const std::string& kind : lost) kinds += (kinds.empty() ? "" : ", ") + kind;
  if (!kinds.empty()) left_out.push_back("what this format has no place for is left out: " + kinds);
  return head;
}

std::optional<std::string> with_head(const std::string& encoded, FileFormat format, const Head& head) {
  if (format == FileFormat::kPng) return png_with(encoded, head);
  if (format == FileFormat::kJpeg) return jpeg_with(encoded, head);
  if (format == FileFormat::kAvif) return heif_with(encoded, head.exif, head.xmp);
  return webp_with(encoded, head);
}

}  // namespace sealite::image
