"""Pictures with rich metadata: EXIF with maker note, GPS and thumbnail, XMP beyond 64 KiB, profiles, texts, densities."""
import hashlib
import pathlib
import struct
import subprocess
import zlib

DATA = pathlib.Path(__file__).resolve().parent.parent / "image/data"
LONG = "a long description, " * 4000  # 80,000 letters: more than a JPEG's segment


def exiftool(*arguments):
    done = subprocess.run(["exiftool", *map(str, arguments)], capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"exiftool {arguments}: {done.stderr.decode()}")
    return done.stdout


class Directories:
    """A TIFF block, big-endian; values of more than 4 bytes follow the directories."""

    def __init__(self):
        self.out = bytearray(b"MM\0*\0\0\0\x08")

    def add(self, fields, following=0):
        """Fields are (tag, type, count, bytes); returns where the directory lies."""
        at = len(self.out)
        rest = at + 2 + 12 * len(fields) + 4
        entries, values = b"", b""
        for tag, kind, count, value in sorted(fields):
            if len(value) > 4:
                entries += struct.pack(">HHII", tag, kind, count, rest + len(values))
                values += value + bytes(len(value) % 2)
            else:
                entries += struct.pack(">HHI", tag, kind, count) + value.ljust(4, b"\0")
        self.out += struct.pack(">H", len(fields)) + entries + struct.pack(">I", following) + values
        return at


def text(tag, words):
    return tag, 2, len(words) + 1, words.encode() + b"\0"


def short(tag, value):
    return tag, 3, 1, struct.pack(">H", value)


def long(tag, value):
    return tag, 4, 1, struct.pack(">I", value)


def ratios(tag, *values):
    return tag, 5, len(values), b"".join(struct.pack(">II", *v) for v in values)


def maker_note():
    """Apple's: its offsets count from its own start."""
    serial = b"a camera's own words\0"
    head = b"Apple iOS\0\0\1MM"
    entry = struct.pack(">HHII", 0x0015, 2, len(serial), len(head) + 2 + 12 + 4)
    return head + struct.pack(">H", 1) + entry + bytes(4) + serial


def exif(thumbnail=True):
    """The directories behind the first one are found by its fields, so they are laid out twice."""
    places = [0, 0, 0]
    for _ in range(2):
        block = Directories()
        note = maker_note()
        comment = b"ASCII\0\0\0written by a person"
        first = [text(0x010F, "Apple"), text(0x0110, "iPhone 12"), short(0x0112, 6), ratios(0x011A, (300, 1)),
                 ratios(0x011B, (150, 1)), short(0x0128, 2), text(0x0131, "a program 1.0"),
                 text(0x0132, "2024:01:02 03:04:05"), text(0x013B, "Ada"), text(0x8298, "(c) Ada"),
                 long(0x8769, places[0]), long(0x8825, places[1])]
        block.add(first, places[2])
        inner = [ratios(0x829A, (1, 250)), ratios(0x829D, (18, 10)), short(0x8827, 64), (0x9000, 7, 4, b"0232"),
                 text(0x9003, "2024:01:02 03:04:05"), (0x927C, 7, len(note), note), (0x9286, 7, len(comment), comment),
                 long(0xA002, 64), long(0xA003, 48), ratios(0xA20E, (5000, 1)), ratios(0xA20F, (4000, 1))]
        places[0] = block.add(inner)
        places[1] = block.add([(0, 1, 4, b"\2\3\0\0"), text(1, "N"), ratios(2, (51, 1), (30, 1), (0, 1)), text(3, "W"),
                               ratios(4, (0, 1), (7, 1), (0, 1))])
        jpeg = (DATA / "rgb.jpg").read_bytes()
        if thumbnail:
            at = len(block.out)
            places[2] = at + len(jpeg)
            block.out += jpeg
            places[2] = block.add([short(0x0103, 6), long(0x0201, at), long(0x0202, len(jpeg))])
    return bytes(block.out)


def xmp(description):
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 tiff:Orientation="6" exif:PixelXDimension="64" exif:PixelYDimension="48" xmpRights:Marked="True">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>
<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Böll</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def long_xmp_segments():
    """The short text names the long one, which lies in several segments."""
    long_one = xmp(LONG)
    name = hashlib.md5(long_one).hexdigest().upper().encode()
    short_one = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
                 b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" '
                 b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5" '
                 b'xmpNote:HasExtendedXMP="' + name + b'"/></rdf:RDF></x:xmpmeta>')
    out = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + short_one)
    for at in range(0, len(long_one), 60000):
        out += segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + name +
                       struct.pack(">II", len(long_one), at) + long_one[at:at + 60000])
    return out


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_chunks():
    chroma = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    return (chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"cHRM", chroma) + chunk(b"cICP", b"\1\x0d\0\1") +
            chunk(b"sBIT", b"\7\7\7") + chunk(b"pHYs", struct.pack(">IIB", 11811, 5906, 1)) +
            chunk(b"tEXt", b"Title\0a cup") + chunk(b"tEXt", b"parameters\0a cup, Steps: 20") +
            chunk(b"zTXt", b"Source\0\0" + zlib.compress(b"a camera")) +
            chunk(b"iTXt", b"Warning\0\0\0de\0Warnung\0" + "heiß".encode()) + chunk(b"eXIf", exif()) +
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(LONG)))


def make(folder):
    """{name: path}; AVIF's and TIFF's are written by exiftool, and so is what is easier so."""
    made = {}
    profile = folder / "profile.icc"
    profile.write_bytes(exiftool("-b", "-icc_profile", DATA / "profile.jpg"))
    packet = folder / "xmp.bin"
    packet.write_bytes(xmp(LONG))

    def source(name, start):
        made[name] = folder / f"source.{name}"
        made[name].write_bytes(start)
        return made[name]

    jpeg = (DATA / "rgb.jpg").read_bytes()
    assert jpeg[6:11] == b"JFIF\0"
    jpeg = jpeg[:13] + struct.pack(">BHH", 1, 300, 150) + jpeg[18:]
    jpeg = jpeg[:20] + segment(0xE1, b"Exif\0\0" + exif()) + long_xmp_segments() + segment(0xFE, b"a comment") + jpeg[20:]
    path = source("jpg", jpeg)
    exiftool("-q", "-overwrite_original", f"-icc_profile<={profile}", "-IPTC:Keywords=cup", "-IPTC:Keywords=coffee",
             "-IPTC:Caption-Abstract=A cup of coffee", path)
    png = (DATA / "rgb.png").read_bytes()
    source("png", png[:33] + png_chunks() + png[33:])
    for name, start in (("webp", "lossy.webp"), ("avif", "rgb.avif"), ("tif", "rgb.tif")):
        path = source(name, (DATA / start).read_bytes())
        exiftool("-q", "-overwrite_original", "-tagsfromfile", made["jpg"], "-exif:all", "-makernotes",
                 *(["-iptc:all"] if name == "tif" else []), path)
        exiftool("-q", "-overwrite_original", f"-xmp<={packet}",
                 *([f"-icc_profile<={profile}"] if name != "avif" else []), path)
    return made
