#include "image/beside.h"

#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "image/data_file.h"
#include "image/encode.h"

namespace sealite::image {
namespace {

using namespace std::string_literals;

std::string head_number(std::uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = bytes; i > 0; --i) text.push_back(static_cast<char>(value >> (8 * (i - 1)) & 0xFFU));
  return text;
}

// A chunk's checksum is not looked at: libpng only warns of those that it may skip.
std::string head_chunk(const std::string& kind, const std::string& contents) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : kind + contents) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return head_number(contents.size(), 4) + kind + contents + head_number(~crc & 0xFFFFFFFFU, 4);
}

std::string head_segment(char marker, const std::string& contents) {
  return "\xFF"s + marker + head_number(contents.size() + 2, 2) + contents;
}

class KeepsBeside : public ::testing::Test {
 protected:
  std::string png(const std::string& chunks) const {
    std::string bytes = read_text(data_file("rgb.png"));
    return bytes.insert(33, chunks);
  }
  std::string jpeg(const std::string& segments) const {
    std::string bytes = read_text(data_file("rgb.jpg"));
    return bytes.insert(2, segments);
  }
  // The source written as `name`; what was left out goes to `words_`.
  std::string written(const std::string& bytes, const std::string& name) {
    write_text(folder_ / "in", bytes);
    const SourcePicture source = read_source(folder_ / "in");
    std::filesystem::remove(folder_ / name);
    EncodeOptions options;
    options.format = format_of(folder_ / name);
    options.metadata = source.metadata.get();
    words_.clear();
    for (const std::string& words : left_out(*source.metadata, options.format)) words_ += words + "\n";
    AtomicFile file(folder_ / name);
    const std::uint64_t size = encode_picture(source.picture, options, file);
    file.commit();
    std::string out = read_text(folder_ / name);
    EXPECT_EQ(out.size(), size);
    EXPECT_EQ(read_picture(folder_ / name).rgb.size(), source.picture.rgb.size());
    return out;
  }
  void expect_said(std::string_view words) const {
    EXPECT_NE(words_.find(words), std::string::npos) << words_;
  }

  ScratchFolder folder_;
  std::string words_;
};

TEST_F(KeepsBeside, EveryPngChunkThatStaysTrue) {
  const std::vector<std::string> chunks = {
      head_chunk("gAMA", head_number(100000, 4)),
      head_chunk("cHRM", head_number(31270, 4) + std::string(28, '\1')),
      head_chunk("cICP", "\x09\x10\0\1"s),
      head_chunk("sBIT", "\x08\x08\x08"s),
      head_chunk("pHYs", head_number(11811, 4) + head_number(5906, 4) + "\1"),
      head_chunk("tEXt", "parameters\0a cup, Steps: 20"s),
      head_chunk("iTXt", "workflow\0\0\0de\0\0{}"s),
      head_chunk("zTXt", "packed\0\0\x78\x9c\x4b\x04\0\0\x62\0\x62"s),
      head_chunk("prVt", "safe to copy"),
  };
  std::string all;
  for (const std::string& chunk : chunks) all += chunk;
  const std::string out = written(png(all), "a.png");
  for (const std::string& chunk : chunks) EXPECT_NE(out.find(chunk), std::string::npos) << chunk;
  EXPECT_EQ(words_, "");
  for (const char* name : {"a.jpg", "a.webp", "a.tif", "a.avif"}) {
    written(png(all), name);
    expect_said("no place for is left out: cHRM, cICP, gAMA, iTXt, prVt, sBIT, tEXt, zTXt");
  }
}

TEST_F(KeepsBeside, NothingIsMadeUp) {
  const std::string plain = read_text(data_file("rgb.png"));
  for (const char* kind : {"pHYs", "eXIf", "tEXt", "iTXt", "gAMA"})
    EXPECT_EQ(written(plain, "a.png").find(kind), std::string::npos) << kind;
  for (const char* name : {"a.jpg", "a.webp"})
    EXPECT_EQ(written(plain, name).find("Exif"), std::string::npos) << name;
  EXPECT_EQ(written(plain, "a.webp").find("EXIF"), std::string::npos);
  const std::string avif = written(plain, "a.avif");
  for (const char* kind : {"Exif", "mime", "cdsc"}) EXPECT_EQ(avif.find(kind), std::string::npos) << kind;
  EXPECT_EQ(words_, "");
}

TEST_F(KeepsBeside, AManifestGoesAndIsSaid) {
  const std::string box = "\0\0\0\x28jumb"s + std::string(32, 'c');
  EXPECT_EQ(written(png(head_chunk("caBX", box)), "a.png").find("jumb"), std::string::npos);
  expect_said("C2PA");
  EXPECT_EQ(written(jpeg(head_segment('\xEB', "JP\0\1\0\0\0\1"s + box)), "a.jpg").find("jumb"),
            std::string::npos);
  expect_said("C2PA");
}

TEST_F(KeepsBeside, AGainMapGoesWithTheXmpThatAnnouncesIt) {
  const std::string xmp =
      "http://ns.adobe.com/xap/1.0/\0<x xmlns:h=\"http://ns.adobe.com/hdr-gain-map/1.0/\"/>"s;
  const std::string out = written(jpeg(head_segment('\xE1', xmp)) + "the map", "a.jpg");
  EXPECT_EQ(out.find("hdr-gain-map"), std::string::npos);
  expect_said("gain map");
  EXPECT_EQ(written(jpeg(head_segment('\xE1', xmp)), "a.png").find("hdr-gain-map"), std::string::npos);
}

TEST_F(KeepsBeside, CommentsAndDensity) {
  const std::string in = jpeg(head_segment('\xFE', "(c) me"));
  EXPECT_NE(written(in, "a.jpg").find(head_segment('\xFE', "(c) me")), std::string::npos);
  EXPECT_NE(written(in, "a.png").find(head_chunk("tEXt", "Comment\0(c) me"s)), std::string::npos);
  EXPECT_EQ(words_, "");
  written(in, "a.webp");
  expect_said("a comment");
  const std::string dense = png(head_chunk("pHYs", head_number(11811, 4) + head_number(5906, 4) + "\1"));
  EXPECT_EQ(written(dense, "a.jpg").substr(13, 5), "\1\x01\x2C\0\x96"s) << "300 and 150 to the inch";
  std::string jfif = read_text(data_file("rgb.jpg"));
  jfif.replace(13, 5, "\2\0\x76\0\x76"s);  // 118 to the centimetre
  EXPECT_EQ(written(jfif, "a.jpg").substr(13, 5), "\2\0\x76\0\x76"s);
  EXPECT_NE(
      written(jfif, "a.png").find(head_chunk("pHYs", head_number(11800, 4) + head_number(11800, 4) + "\1")),
      std::string::npos);
}

// Two fields, and a thumbnail behind them.
TEST_F(KeepsBeside, ExifIsKeptToTheByteButForOrientationAndThumbnail) {
  const std::string thumbnail(20, 'T');
  std::string exif = "MM\0*\0\0\0\x08\0\2"s + "\x01\x12\0\3\0\0\0\1\0\6\0\0"s + "\x01\x3B\0\2\0\0\0\4Ada\0"s +
                     "\0\0\0\x26"s + "\0\2"s + "\2\1\0\4\0\0\0\1\0\0\0\x44"s + "\2\2\0\4\0\0\0\1\0\0\0\x14"s +
                     "\0\0\0\0"s + thumbnail;
  const std::string in = jpeg(head_segment('\xE1', "Exif\0\0"s + exif));
  exif[19] = 1;
  exif.replace(34, 4, 4, '\0');
  exif.replace(exif.size() - 20, 20, 20, '\0');
  EXPECT_NE(written(in, "a.jpg").find("Exif\0\0"s + exif), std::string::npos);
  EXPECT_NE(written(in, "a.png").find(head_chunk("eXIf", exif)), std::string::npos);
  EXPECT_NE(written(in, "a.webp").find(exif), std::string::npos);
  EXPECT_EQ(written(in, "a.webp").find(thumbnail), std::string::npos);
  const std::string avif = written(in, "a.avif");
  EXPECT_NE(avif.find("\0\0\0\6Exif\0\0"s + exif), std::string::npos);
  EXPECT_EQ(avif.find("MM\0*"s), avif.rfind("MM\0*"s)) << "libheif's own is there too";
}

// exiftool's XMP in an AVIF begins with a processing instruction, and libvips does not know it as XMP.
TEST_F(KeepsBeside, AvifToAvifKeepsExifAndXmp) {
  const std::string exif = "II*\0\x08\0\0\0\1\0"s + "\x3B\1\2\0\4\0\0\0Ada\0"s + "\0\0\0\0"s;
  const std::string xmp =
      "<?xpacket begin=''?><x:xmpmeta><rdf:RDF>" + std::string(70'000, 'x') + "</rdf:RDF></x:xmpmeta>";
  const std::string in =
      png(head_chunk("eXIf", exif) + head_chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0"s + xmp));
  const std::string first = written(in, "a.avif");
  for (const std::string& file : {first, written(first, "b.avif"), written(first, "c.png")}) {
    EXPECT_NE(file.find(exif), std::string::npos);
    EXPECT_NE(file.find(xmp), std::string::npos);
  }
  // Of a picture with alpha, which is an item that refers to another one, too.
  const std::string alpha = read_text(data_file("alpha.png"));
  EXPECT_NE(written(std::string(alpha).insert(33, head_chunk("eXIf", exif)), "d.avif").find(exif),
            std::string::npos);
  EXPECT_EQ(words_, "");
}

TEST_F(KeepsBeside, WhatATurnedPictureSaysOfItsAxesIsTurned) {
  const std::string exif = "MM\0*\0\0\0\x08\0\4"s + "\x01\x12\0\3\0\0\0\1\0\6\0\0"s +
                           "\x01\x1A\0\5\0\0\0\1\0\0\0\x3E"s + "\x01\x1B\0\5\0\0\0\1\0\0\0\x46"s +
                           "\x87\x69\0\4\0\0\0\1\0\0\0\x4E\0\0\0\0"s + head_number(300, 4) +
                           head_number(1, 4) + head_number(150, 4) + head_number(1, 4) + "\0\2"s +
                           "\xA0\2\0\3\0\0\0\1\0\x19\0\0"s + "\xA0\3\0\4\0\0\0\1\0\0\0\x12"s + "\0\0\0\0"s;
  const std::string xmp =
      "http://ns.adobe.com/xap/1.0/\0<rdf:RDF tiff:Orientation='6' exif:PixelXDimension='1025' "
      "exif:PixelYDimension='18'><tiff:ImageLength>75</tiff:ImageLength><tiff:ImageWidth>100</tiff:ImageWidth>"s;
  std::string in = jpeg(head_segment('\xE1', "Exif\0\0"s + exif) + head_segment('\xE1', xmp));
  const std::size_t jfif = in.find("JFIF");
  in.replace(jfif + 7, 5, "\1\1\x2C\0\x96"s);
  const std::string out = written(in, "a.jpg");
  EXPECT_EQ(out.substr(13, 5), "\1\0\x96\1\x2C"s);
  EXPECT_NE(out.find("\x01\x1A\0\5\0\0\0\1\0\0\0\x46"s + "\x01\x1B\0\5\0\0\0\1\0\0\0\x3E"s),
            std::string::npos);
  EXPECT_NE(out.find("\xA0\2\0\4\0\0\0\1\0\0\0\x12"s + "\xA0\3\0\3\0\0\0\1\0\x19\0\0"s), std::string::npos);
  EXPECT_NE(out.find("tiff:Orientation='1' exif:PixelXDimension='18' exif:PixelYDimension='1025'"),
            std::string::npos);
  EXPECT_NE(out.find("<tiff:ImageLength>100</tiff:ImageLength><tiff:ImageWidth>75<"), std::string::npos);
}

TEST_F(KeepsBeside, XmpOfAnySize) {
  const std::string xmp =
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">" + std::string(150'000, 'x') + "</x:xmpmeta>";
  const std::string in = png(head_chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0\0"s + xmp));
  EXPECT_NE(written(in, "a.png").find(xmp), std::string::npos);
  EXPECT_NE(written(in, "a.webp").find(xmp), std::string::npos);
  const std::string out = written(in, "a.jpg");
  const std::size_t name = out.find("HasExtendedXMP=\"") + 16;
  std::string joined;
  const std::string start = "http://ns.adobe.com/xmp/extension/\0"s + out.substr(name, 32);
  for (std::size_t at = out.find(start); at != std::string::npos; at = out.find(start, at + 1)) {
    EXPECT_EQ(out.substr(at + start.size(), 8), head_number(xmp.size(), 4) + head_number(joined.size(), 4));
    joined += out.substr(at + start.size() + 8, std::min<std::size_t>(65000, xmp.size() - joined.size()));
  }
  EXPECT_EQ(joined, xmp);
  EXPECT_EQ(words_, "");
}

TEST_F(KeepsBeside, AJpegsLongXmpIsOneTextElsewhere) {
  const std::string name(32, 'A');
  const std::string brief =
      "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
      "xmlns:rdf=\"r\"><rdf:Description xmp:Rating=\"5\" xmpNote:HasExtendedXMP=\""s +
      name + "\"/></rdf:RDF></x:xmpmeta>";
  const auto with_long = [&](const std::string& text) {
    std::string segments = head_segment('\xE1', brief);
    for (std::size_t at = 0; at < text.size(); at += 50)
      segments.insert(0, head_segment('\xE1', "http://ns.adobe.com/xmp/extension/\0"s + name +
                                                  head_number(text.size(), 4) + head_number(at, 4) +
                                                  text.substr(at, 50)));
    return jpeg(segments);
  };
  const std::string inside =
      "<rdf:Description dc:format='" + std::string(90, 'x') + "' tiff:Orientation='6'/>";
  const std::string text = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='r' xmlns:dc='d'>" +
                           inside + "</rdf:RDF></x:xmpmeta>";
  const std::string whole =
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"r\" xmlns:dc='d'><rdf:Description "
      "xmp:Rating=\"5\" /><rdf:Description dc:format='" +
      std::string(90, 'x') + "' tiff:Orientation='1'/></rdf:RDF></x:xmpmeta>";
  for (const char* file : {"a.jpg", "a.png", "a.webp", "a.avif"}) {
    EXPECT_NE(written(with_long(text), file).find(whole), std::string::npos) << file;
    EXPECT_EQ(words_, "");
  }
  // Another meaning of a prefix, a text without its list, a part that is missing: the short text stays.
  std::string other = text;
  other.replace(other.find("'r'"), 3, "'q'");
  std::string cut = with_long(text);
  cut.replace(cut.find(head_number(text.size(), 4) + head_number(50, 4)), 8, 8, '\0');
  for (const std::string& in : {with_long(other), with_long(inside), cut}) {
    EXPECT_NE(written(in, "a.png").find("xmp:Rating"), std::string::npos);
    expect_said("XMP that lies in further segments is left out");
  }
}

}  // namespace
}  // namespace sealite::image
