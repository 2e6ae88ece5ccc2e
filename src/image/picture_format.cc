#include "image/picture_format.h"

#include <algorithm>
#include <utility>

namespace sealite::image {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::size_t at;
  std::string_view bytes;
};

constexpr std::pair<Magic, PictureFormat> kRead[] = {
    {{0, "\xFF\xD8\xFF"sv}, {"jpegload", Decoder::kJpeg}},
    {{0, "\x89PNG\r\n\x1A\n"sv}, {"pngload", Decoder::kPng}},
    {{0, "II*\0"sv}, {"tiffload", Decoder::kTiff}},
    {{0, "MM\0*"sv}, {"tiffload", Decoder::kTiff}},
    {{0, "II+\0"sv}, {"tiffload", Decoder::kTiff}},
    {{0, "MM\0+"sv}, {"tiffload", Decoder::kTiff}},
    {{0, "GIF87a"sv}, {"gifload", Decoder::kGif}},
    {{0, "GIF89a"sv}, {"gifload", Decoder::kGif}},
    {{0, "\xFF\x0A"sv}, {"jxlload", Decoder::kJxl}},
    {{0, "\0\0\0\x0CJXL \r\n\x87\n"sv}, {"jxlload", Decoder::kJxl}},
    {{0, "\0\0\0\x0CjP  \r\n\x87\n"sv}, {"jp2kload", Decoder::kJp2}},
    {{0, "\xFF\x4F\xFF\x51"sv}, {"jp2kload", Decoder::kJp2}},
};

constexpr std::pair<Magic, std::string_view> kUnread[] = {
    {{0, "8BPS"sv}, "a Photoshop file"},
    {{0, "\0\0\1\0"sv}, "an icon"},
    {{0, "P7\n"sv}, "a PAM picture"},
    {{0, "PF\n"sv}, "a PFM picture of floating-point samples"},
    {{0, "Pf\n"sv}, "a PFM picture of floating-point samples"},
    {{0, "qoif"sv}, "a QOI picture"},
    {{0, "DDS "sv}, "a DDS texture"},
    {{0, "\x76\x2F\x31\x01"sv}, "an OpenEXR picture"},
    {{0, "#?RADIANCE"sv}, "a Radiance picture"},
    {{0, "SIMPLE  ="sv}, "a FITS file"},
    {{0, "%PDF"sv}, "a PDF document"},
    {{0, "%!PS"sv}, "a PostScript document"},
    {{0, "<svg"sv}, "an SVG drawing"},
    {{0, "FUJIFILMCCD-RAW"sv}, "a camera's raw file"},
    {{4, "ftypcrx "sv}, "a camera's raw file"},
    {{0, "IIU\0"sv}, "a camera's raw file"},
    {{0, "IIRO"sv}, "a camera's raw file"},
    {{0, "IIRS"sv}, "a camera's raw file"},
    {{0, "MMOR"sv}, "a camera's raw file"},
    {{0, "FOVb"sv}, "a camera's raw file"},
    {{0, "\0MRM"sv}, "a camera's raw file"},
    {{4, "ftypisom"sv}, "a video"},
    {{4, "ftypiso2"sv}, "a video"},
    {{4, "ftypmp4"sv}, "a video"},
    {{4, "ftypM4V"sv}, "a video"},
    {{4, "ftypqt  "sv}, "a video"},
    {{8, "AVI LIST"sv}, "a video"},
    {{0, "\x1A\x45\xDF\xA3"sv}, "a video"},
    {{0, "PK\3\4"sv}, "a zip archive"},
    {{0, "<!DOCTYPE html"sv}, "a web page"},
    {{0, "<!doctype html"sv}, "a web page"},
    {{0, "<html"sv}, "a web page"},
    {{0, "version https://git-lfs"sv}, "a pointer of Git LFS (git lfs pull gets the file itself)"},
};

bool has(std::string_view start, const Magic& magic) {
  return start.size() >= magic.at && start.substr(magic.at).starts_with(magic.bytes);
}

/// P1 to P6 and white space: a text that starts with them needs a letter less.
bool is_ppm(std::string_view start) {
  return start.size() > 2 && start[0] == 'P' && start[1] >= '1' && start[1] <= '6' &&
         " \t\r\n#"sv.find(start[2]) != std::string_view::npos;
}

}  // namespace

std::optional<PictureFormat> find_format(std::string_view start) {
  const auto* const found =
      std::ranges::find_if(kRead, [&](const auto& row) { return has(start, row.first); });
  if (found != std::end(kRead)) return found->second;
  if (has(start, {0, "RIFF"sv}) && has(start, {8, "WEBP"sv}))
    return PictureFormat{"webpload", Decoder::kWebp};
  if (is_ppm(start)) return PictureFormat{"ppmload", Decoder::kPpm};
  if (!has(start, {4, "ftyp"sv})) return std::nullopt;
  constexpr std::string_view kBrands[] = {"avif", "avis", "mif1", "msf1", "heic", "heix", "heim", "heis"};
  if (std::ranges::count(kBrands, start.substr(8, 4)) == 0) return std::nullopt;
  return PictureFormat{"heifload", Decoder::kHeif};
}

std::optional<std::string_view> name_unread_format(std::string_view start) {
  const auto* const found =
      std::ranges::find_if(kUnread, [&](const auto& row) { return has(start, row.first); });
  if (found != std::end(kUnread)) return found->second;
  // Two reserved numbers of a BMP are 0: two letters alone begin many texts.
  if (has(start, {0, "BM"sv}) && has(start, {6, "\0\0\0\0"sv})) return "a BMP picture";
  return std::nullopt;
}

}  // namespace sealite::image
