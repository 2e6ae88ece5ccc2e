"""Pictures: 2^31 pixels, bombs in their chunks, formats that are not trusted, EXIF and profiles that lie."""
import functools
import struct
import zlib

import valid_files
from attack import MARK_PICTURE, READ_PICTURE, Attack, Command
from formats.jpeg import progressive

READ_LIMITED = Command("detect", READ_PICTURE.arguments + ("--max-pixels", "50000000"))
SOUND, SUFFIX, COMMANDS, MEMORY = "rgb.png", ".png", (READ_PICTURE, MARK_PICTURE), 256
DATA = valid_files.ROOT / "tests/image/data"


def chunk(kind, data, crc=None):
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def header(width, height, depth=8, colour=2, interlace=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(width=8, height=8, before=b"", pixels=None, **kind):
    pixels = zlib.compress(bytes((width * 3 + 1) * height)) if pixels is None else pixels
    return b"\x89PNG\r\n\x1a\n" + header(width, height, **kind) + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@functools.lru_cache
def bomb(size):
    """`size` zeros, compressed some hundred times smaller."""
    packer = zlib.compressobj(1)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


def tiff(entries, strip=b""):
    """Little-endian, one directory; entries are (tag, type, count, value)."""
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + body + strip


def tiff_picture(width, height, **more):
    tags = {256: (4, width), 257: (4, height), 258: (3, 8), 259: (3, 1), 262: (3, 1), 273: (4, 200), 277: (3, 1),
            278: (4, height), 279: (4, min(width * height, 2**32 - 1))} | {int(k[1:]): v for k, v in more.items()}
    return tiff([(tag, kind, 1, value) for tag, (kind, value) in sorted(tags.items())], bytes(4096))


def exif(orientation, count=1, offset=8):
    return b"Exif\0\0" + b"II*\0" + struct.pack("<I", offset) + struct.pack("<H", count) \
        + struct.pack("<HHII", 0x0112, 3, 1, orientation) + bytes(4)


def with_segment(jpeg, marker, data):
    return jpeg[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data + jpeg[2:]


def resized_jpeg(jpeg, width, height):
    at = jpeg.index(b"\xff\xc0")
    return jpeg[:at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9:]


def attacks(sound):
    yield from pngs()
    yield from jpegs()
    yield from others()
    yield from people_have()
    yield from untrusted()


def pngs():
    yield Attack("PNG of 2^31 - 1 by 2^31 - 1", png(2**31 - 1, 2**31 - 1, pixels=b""), status={"detect": 65, "embed": 65})
    yield Attack("PNG of 65536 by 32768", png(65536, 32768, pixels=bomb(1 << 20)), status=69, says=("limit",))
    yield Attack("PNG of 100000 by 100000", png(100000, 100000, pixels=bomb(1 << 20)), status=69, says=("limit",))
    yield Attack("PNG of 0 by 8", png(0, 8, pixels=b""))
    yield Attack("PNG of 8 by 2^31", png(8, 8).replace(header(8, 8), header(8, 2**31)))
    yield Attack("PNG with fewer pixels", png(64, 64, pixels=zlib.compress(bytes(100))), says=("broken",))
    yield Attack("PNG with a bomb behind its pixels", png(8, 8, pixels=zlib.compress(bytes(25 * 8)) + bomb(64 << 20)),
                 status={"detect": 0, "embed": 0})
    yield Attack("PNG whose pixels are a bomb", png(8, 8, pixels=bomb(256 << 20)), status=0)
    for kind in (b"zTXt", b"iTXt", b"iCCP"):
        packed = bomb(200 << 20)
        data = b"x\0\0" + packed if kind != b"iTXt" else b"x\0\1\0\0\0" + packed
        status, says = (0, ()) if kind == b"iCCP" else (69, ("compressed texts",))
        yield Attack(f"PNG with a bomb in {kind.decode()}", png(before=chunk(kind, data)), status, says)
        many = chunk(kind, (b"x\0\0" if kind != b"iTXt" else b"x\0\1\0\0\0") + bomb(4 << 20)) * 2000
        yield Attack(f"PNG with 2000 bombs in {kind.decode()}", png(before=many), status, says)
    for colour, depth in ((2, 16), (6, 8), (6, 16)):
        yield Attack(f"interlaced PNG of 20000 by 20000, colours {colour}, {depth} bits",
                     png(20000, 20000, pixels=bomb(1 << 20), colour=colour, depth=depth, interlace=1), status=69,
                     says=("to decode",))
    yield Attack("PNG with a long plain text", png(before=chunk(b"iTXt", b"x\0\0\0\0\0" + b"a" * (1 << 20))), status=0)
    yield Attack("PNG with a checksum that is wrong", png().replace(header(8, 8), header(8, 8)[:-4] + b"\0\0\0\0"))
    yield Attack("PNG with a chunk of 2^31", png(before=b"\x7f\xff\xff\xfftEXt"), says=("longer than the file",))
    yield Attack("PNG of 3 bits", png(depth=3))
    yield Attack("PNG with a palette that is not there", png(colour=3, pixels=zlib.compress(bytes(9 * 8))))
    yield Attack("PNG with EXIF junk", png(before=chunk(b"eXIf", b"II*\0" + b"\xff" * 1000)), status=0)
    yield Attack("PNG that is cut", (DATA / "rgb.png").read_bytes()[:-40], says=("broken",))
    yield Attack("PNG with control characters in a text", png(before=chunk(b"tEXt", b"Comment\0\x1b[2J\x07")), status=0)


def jpegs():
    jpeg = (DATA / "rgb.jpg").read_bytes()
    yield Attack("JPEG of 65535 by 65535", resized_jpeg(jpeg, 65535, 65535), says=("broken",), suffix=".jpg")
    yield Attack("JPEG of 0 by 0", resized_jpeg(jpeg, 0, 0), suffix=".jpg")
    yield Attack("JPEG that is cut", jpeg[:-100], suffix=".jpg")
    for orientation in (0, 9, 255, 65535, 2**32 - 1):
        yield Attack(f"JPEG with EXIF orientation {orientation}", with_segment(jpeg, 0xE1, exif(orientation)), status=0,
                     suffix=".jpg")
    yield Attack("JPEG with 65535 EXIF fields", with_segment(jpeg, 0xE1, exif(6, count=65535)), status=0, suffix=".jpg")
    yield Attack("JPEG with EXIF that points at itself", with_segment(jpeg, 0xE1, exif(6, offset=0)), status=0,
                 suffix=".jpg")
    yield Attack("JPEG with EXIF behind its end", with_segment(jpeg, 0xE1, exif(6, offset=2**32 - 1)), status=0,
                 suffix=".jpg")
    profile = b"ICC_PROFILE\0\1\1"
    for name, data in (("junk", b"\xff" * 1000), ("nothing", b""), ("a length of 4 GiB", b"\xff\xff\xff\xff" + b"acsp" * 90),
                       ("part 200 of 3", b"")):
        start = b"ICC_PROFILE\0\xc8\3" if name.startswith("part") else profile
        yield Attack(f"JPEG with a profile of {name}", with_segment(jpeg, 0xE2, start + data), status=0, suffix=".jpg")
    yield Attack("JPEG with XMP junk", with_segment(jpeg, 0xE1, b"http://ns.adobe.com/xap/1.0/\0tiff:Orientation" * 500),
                 status=0, suffix=".jpg")
    yield from long_xmp(jpeg)
    yield Attack("JPEG with 20000 comments", jpeg[:2] + (b"\xff\xfe\0\6aaaa" * 20000) + jpeg[2:], status=0, suffix=".jpg")
    # 46 s and 107 s of a core that others use too, when nothing counted them.
    for width, height, scans in ((6000, 6000, 3000), (20000, 20000, 600), (60000, 6000, 40)):
        yield Attack(f"JPEG of {width} by {height} in {scans} scans", progressive(width, height, scans), status=69,
                     says=("scans",), suffix=".jpg")
    yield Attack("JPEG of 8 by 8 in 60000 scans", progressive(8, 8, 60000), status=0, suffix=".jpg")
    yield Attack("progressive JPEG of 20000 by 20000 in colour", progressive(20000, 20000, 3, components=3), status=69,
                 says=("to decode",), suffix=".jpg")
    # Of flat pictures libvips keeps every row.
    yield Attack("progressive JPEG of 65500 by 614, with a limit", progressive(65500, 614, 3, components=2), status=69,
                 says=("to decode",), suffix=".jpg", commands=(READ_LIMITED,))
    yield Attack("baseline JPEG of 20000 by 20000, colour by colour", progressive(20000, 20000, 3, 3, frame=0xC1)
                 .replace(b"\xff\xda\0\x0c\3\1\0\2\0\3\0", b"\xff\xda\0\x08\1\1\0"), status=69, says=("to decode",),
                 suffix=".jpg")
    yield Attack("JPEG of scans alone", jpeg[:2] + b"\xff\xda" * 1000, suffix=".jpg")


def long_xmp(jpeg):
    """An XMP text in parts that lie: the short one stays, and the rest is said to be left out."""
    name = b"0123456789ABCDEF" * 2
    brief = (b'<rdf:RDF xmlns:rdf="r"><rdf:Description xmpNote:HasExtendedXMP="' + name + b'"/></rdf:RDF>')
    text = b"<rdf:RDF xmlns:rdf='r'>" + b"x" * 500 + b"</rdf:RDF>"

    def part(size, at, data, of=name):
        return 0xE1, b"http://ns.adobe.com/xmp/extension/\0" + of + struct.pack(">II", size, at) + data

    def picture(*parts):
        """The short text comes last."""
        segments = (*parts, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + brief))
        return jpeg[:2] + b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data
                                   for marker, data in segments) + jpeg[2:]

    size = len(text)
    for words, parts in (("a size of 4 GiB", [part(2**32 - 1, 0, text)]), ("a place at 4 GiB", [part(size, 2**32 - 1, text)]),
                         ("parts that overlap", [part(size, 0, text), part(size, 5, text)]),
                         ("a part of nothing", [part(size, 0, b"")]), ("another's name", [part(size, 0, text, b"F" * 32)]),
                         ("half a head", [(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + name)]),
                         ("no list", [part(3, 0, b"abc")]), ("a list without an end", [part(40, 0, text[:40])]),
                         ("20000 equal parts", [part(size, 0, text)] * 20000),
                         ("20000 parts", [part(20000, i, b"<") for i in range(20000)]),
                         ("namespaces without end", [part(60000, 0, (b"<rdf:RDF" + b" xmlns:a='" * 6000)[:60000])])):
        yield Attack(f"JPEG with a long XMP of {words}", picture(*parts), 0, suffix=".jpg")


def others():
    riff = (DATA / "lossy.webp").read_bytes()
    at = riff.index(b"\x9d\x01\x2a") + 3
    # Larger ones, up to the limit on pixels, take their 3 bytes for each pixel.
    yield Attack("WebP of 8000 by 8000", riff[:at] + struct.pack("<HH", 8000, 8000) + riff[at + 4:], suffix=".webp",
                 status=65)
    huge = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6
    yield Attack("WebP of 2^24 by 2^24", huge, suffix=".webp")
    yield Attack("WebP with a RIFF of 4 GiB", riff[:4] + b"\xff\xff\xff\xff" + riff[8:], suffix=".webp")
    yield Attack("WebP that is cut", riff[:-60], suffix=".webp")
    avif = (DATA / "rgb.avif").read_bytes()
    at = avif.index(b"ispe") + 8
    yield Attack("AVIF of 2^31 by 2^31", avif[:at] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + avif[at + 8:], suffix=".avif")
    yield Attack("AVIF of 40000 by 40000", avif[:at] + struct.pack(">II", 40000, 40000) + avif[at + 8:], suffix=".avif")
    yield Attack("AVIF with a box of 4 GiB", avif[:40].replace(b"\0\0\0", b"\xff\xff\xff") + avif[40:], suffix=".avif")
    yield Attack("AVIF that is cut", avif[:-200], suffix=".avif")
    for name, data, status in (("2^31 by 1", tiff_picture(2**31 - 1, 1), 65),
                               ("65536 by 65536", tiff_picture(65536, 65536), 69), ("0 by 0", tiff_picture(0, 0), 65),
                               ("2^32 - 1 by 2^32 - 1", tiff_picture(2**32 - 1, 2**32 - 1), 65),
                               ("60000 samples", tiff_picture(8, 8, t277=(3, 60000)), 65),
                               ("a strip at 4 GiB", tiff_picture(8, 8, t273=(4, 2**32 - 2)), 65),
                               ("a strip of 4 GiB", tiff_picture(8, 8, t279=(4, 2**32 - 1)), 0),
                               ("compression 9999", tiff_picture(8, 8, t259=(3, 9999)), 65),
                               ("20000 by 20000, 16 bits", tiff_picture(20000, 20000, t258=(3, 16), t277=(3, 2)), 69),
                               ("20000 by 20000, 60 samples", tiff_picture(20000, 20000, t277=(3, 60)), 69),
                               ("64-bit samples", tiff_picture(8, 8, t258=(3, 64)), 69),
                               ("sub-directories everywhere", tiff_picture(8, 8, t330=(4, 8)), 0),
                               ("a sub-directory at 4 GiB", tiff_picture(8, 8, t330=(4, 2**32 - 1)), 0),
                               ("a preview", tiff_picture(8, 8, t254=(4, 1)), 69),
                               ("floats", tiff_picture(8, 8, t339=(3, 3)), 69)):
        yield Attack(f"TIFF of {name}", data, status=status, suffix=".tif")
    loop = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0) + struct.pack("<I", 8)
    yield Attack("TIFF whose directory is followed by itself", loop, suffix=".tif")
    yield Attack("TIFF with 65535 fields", b"II*\0" + struct.pack("<IH", 8, 65535) + b"\xff" * 5000, suffix=".tif")
    yield Attack("TIFF with no directory", b"II*\0\xff\xff\xff\xff" + bytes(8), suffix=".tif")


UNTRUSTED = [("SVG", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image href='file:///etc/passwd'/></svg>"),
             ("SVG with entities", b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;</svg>"),
             ("PDF", b"%PDF-1.4\n1 0 obj<</OpenAction<</S/JavaScript/JS(x)>>>>endobj"), ("EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
             ("BMP", b"BM" + bytes(60)), ("HDR", b"#?RADIANCE\n" + bytes(40)),
             ("FITS", b"SIMPLE  =                    T" + bytes(60)), ("OpenEXR", b"\x76\x2f\x31\x01" + bytes(60)),
             ("vips", b"\xb6\xa6\xf2\x08" + bytes(60)), ("MATLAB", b"MATLAB 5.0 MAT-file" + bytes(140)),
             ("ICO", b"\0\0\1\0\1\0" + bytes(60)), ("PSD", b"8BPS\0\1" + bytes(60)), ("XPM", b"/* XPM */ static char *x[] = {"),
             ("ImageMagick's MVG", b"push graphic-context\nimage over 0,0 0,0 'url(https://x|touch x\")'\npop"),
             ("CSV", b"1,2,3\n4,5,6\n" * 10), ("HTML", b"<html><script>1</script></html>"), ("NIfTI", b"\x5c\1\0\0" + bytes(400)),
             ("OpenSlide", b"MIRAX" + bytes(60)), ("nothing", b""), ("one byte", b"\xff")]


NAMED = ("SVG", "HTML", "PDF", "EPS", "BMP", "HDR", "FITS", "OpenEXR", "ICO", "PSD")


def people_have():
    """GIF, PPM, JPEG XL and JPEG 2000: claims, loops and cuts."""
    gif = b"GIF89a\x08\0\x08\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x08\0\x08\0\0"
    screen = b"GIF89a\xff\xff\xff\xff\x80\0\0" + gif[13:]
    yield Attack("GIF of 65535 by 65535", screen + b"\2\2\x4c\1\0;", 0, suffix=".gif")  # its frame is small
    yield Attack("GIF that is cut", gif, suffix=".gif")
    yield Attack("GIF of 20000 frames", gif + b"\2\2\x4c\1\0" + (gif[19:] + b"\2\2\x4c\1\0") * 20000 + b";",
                 0, suffix=".gif")
    yield Attack("PPM of 99999 by 99999", b"P6 99999 99999 255\n" + bytes(20), 69, ("limit",), suffix=".ppm")
    yield Attack("PPM of 2^64 by 1", b"P6 18446744073709551616 1 255\n" + bytes(20), suffix=".ppm")
    yield Attack("PPM of -1 by 8", b"P6 -1 8 255\n" + bytes(200), suffix=".ppm")
    yield Attack("PPM of comments", b"P6 " + b"#\n" * 500000, 69, ("two comments",), suffix=".ppm")
    yield Attack("PPM of comments and empty lines", b"P6 " + b"#\n\n" * 300000, suffix=".ppm")
    yield Attack("PGM of a 20000 by 20000 that is not there", b"P2 20000 20000 255\n1 2 3", suffix=".pgm")
    size = struct.pack(">HHIIIIIIIIH", 47, 0, 2**31 - 1, 2**31 - 1, 0, 0, 2**31 - 1, 2**31 - 1, 0, 0, 3) + b"\7\1\1" * 3
    yield Attack("JPEG 2000 of 2^31 by 2^31", b"\xff\x4f\xff\x51" + size + bytes(60), suffix=".j2k")
    tiny = size.replace(struct.pack(">II", 2**31 - 1, 2**31 - 1), struct.pack(">II", 20000, 20000), 1)
    yield Attack("JPEG 2000 of 65535 components", b"\xff\x4f\xff\x51" + tiny[:36] + b"\xff\xff" + bytes(60), 69, suffix=".j2k")
    yield Attack("JPEG 2000 of boxes alone", b"\0\0\0\x0cjP  \r\n\x87\n" + (b"\0\0\0\x08free" * 100000), suffix=".jp2")
    yield from jpeg_xl()


def jpeg_xl():
    """Debian 12's libjxl prints lines of its own about each of these: nobody may see them."""
    lossy = (DATA / "lossy.jxl").read_bytes()
    yield Attack("JPEG XL that is cut", lossy[:-60], suffix=".jxl")
    yield Attack("JPEG XL of its beginning alone", lossy[:12], suffix=".jxl")
    # A first bit of 0: 32 bits, or fewer, of height minus one; then the ratio 1:1.
    huge = 0 | 3 << 1 | (2**30 - 1) << 3 | 1 << 33
    yield Attack("JPEG XL of 2^30 by 2^30", b"\xff\x0a" + huge.to_bytes(5, "little") + lossy[4:], None, suffix=".jxl")
    yield Attack("JPEG XL of ones", b"\xff\x0a" + b"\xff" * 500, suffix=".jxl")
    yield Attack("JPEG XL of zeros", b"\xff\x0a" + bytes(500), suffix=".jxl")
    for at in range(2, 40, 3):
        yield Attack(f"JPEG XL with other bits at {at}", lossy[:at] + bytes([lossy[at] ^ 0x55]) + lossy[at + 1:], None,
                     suffix=".jxl")
    box = b"\0\0\0\x0cJXL \r\n\x87\n"
    yield Attack("JPEG XL of a box of 4 GiB", box + b"\xff\xff\xff\xffjxlc" + lossy, None, suffix=".jxl")
    yield Attack("JPEG XL of boxes alone", box + b"\0\0\0\x08free" * 100000, suffix=".jxl")
    yield Attack("JPEG XL of 3000 partial boxes", box + b"".join(
        struct.pack(">I", 13) + b"jxlp" + struct.pack(">I", i) + lossy[i % 400:i % 400 + 1] for i in range(3000)),
        suffix=".jxl")


def untrusted():
    for name, data in UNTRUSTED:
        yield Attack(f"{name} under the name of a PNG", data, 69 if name in NAMED else 65,
                     ("not read" if name in NAMED else "not a picture",))
    yield Attack("a name that steers the terminal", b"\x1b[2J", says=("not a picture",), suffix="\x1b[2J\x9b.png")
