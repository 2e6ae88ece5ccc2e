"""What attacks/costs.py searches in: pictures of the formats that libvips reads beside JPEG, PNG, WebP and 8-bit TIFF."""
import ctypes
import functools
import pathlib
import struct
import tempfile

from formats import pictures


class Codes:
    """GIF's variable-length codes, the least significant bit first."""

    def __init__(self):
        self.bits, self.count, self.out = 0, 0, bytearray()

    def put(self, code, width):
        self.bits |= code << self.count
        self.count += width
        while self.count >= 8:
            self.out.append(self.bits & 255)
            self.bits >>= 8
            self.count -= 8

    def blocks(self):
        data = bytes(self.out) + (bytes([self.bits & 255]) if self.count else b"")
        parts = [data[i:i + 255] for i in range(0, len(data), 255)]
        return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


@functools.lru_cache(maxsize=4)
def flat_lzw(pixels):
    """Runs of zeros, each a pixel longer than the last, until the table is full: 8 million in 6 KB."""
    codes = Codes()
    clear, end, width = 4, 5, 3
    while pixels > 0:
        codes.put(clear, width)
        width, free, run = 3, end + 1, 1
        codes.put(0, width)
        pixels -= 1
        while pixels > 0 and free < 4095:
            last, run = run, min(run + 1, pixels)
            codes.put(free if run > last else end + run - 1 if run > 1 else 0, width)
            pixels -= run
            free += 1
            if free == 1 << width and width < 12:
                width += 1
    codes.put(end, width)
    return codes.blocks()


def flat_gif(width, height, frames=1):
    """Rows of one colour; further frames are one pixel each."""
    out = b"GIF89a" + struct.pack("<HH", width, height) + b"\x81\0\0" + bytes(12)
    out += b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\2" + flat_lzw(width * height)
    return out + (b"!\xf9\4\0\0\0\0\0," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\2\2\x44\1\0") * (frames - 1) + b";"


def ppm(kind, width, height):
    """Black: of text, of bits, of bytes."""
    head = f"P{kind} {width} {height}\n".encode() + (b"255\n" if kind not in (1, 4) else b"")
    sizes = {1: width * height, 2: 2 * width * height, 3: 6 * width * height, 4: (width + 7) // 8 * height,
             5: width * height, 6: 3 * width * height}
    return head + (b"0" if kind == 1 else b"0 " if kind < 4 else b"\0") * (sizes[kind] // (2 if kind in (2, 3) else 1))


def ppm_comments(n):
    return b"P5 " + b"#\n\n" * n + b"8 8 255\n" + bytes(64)


def flat_jp2(width, height, components, layers, levels, tiles):
    """A code stream whose packets are all empty: a bit each."""
    side = max(-(-max(width, height) // tiles), 1)
    across, down = -(-width // side), -(-height // side)
    body = b"\xff\x51" + struct.pack(">HHIIIIIIIIH", 38 + 3 * components, 0, width, height, 0, 0, side, side, 0, 0, components)
    body += b"\7\1\1" * components
    # One precinct, code blocks of 64 x 64, 5/3 without loss.
    body += b"\xff\x52" + struct.pack(">HBBHBBBBBB", 12, 0, 0, layers, 0, levels, 4, 4, 0, 1)
    body += b"\xff\x5c" + struct.pack(">HB", 4 + 3 * levels, 0x40) + b"\x48" * (1 + 3 * levels)
    packets = bytes(layers * components * (levels + 1))
    for tile in range(across * down):
        body += b"\xff\x90" + struct.pack(">HHIBB", 10, tile, 14 + len(packets), 0, 1) + b"\xff\x93" + packets
    return b"\xff\x4f" + body + b"\xff\xd9"


@functools.lru_cache
def vips():
    library = ctypes.CDLL("libvips.so.42")
    library.vips_init(b"costs")
    return library


@functools.lru_cache(maxsize=64)
def flat_jxl(width, height, bands, lossless):
    """As libvips writes it, with the least effort."""
    image, library = ctypes.c_void_p(), vips()
    end = ctypes.c_void_p(None)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.jxl"
        failed = library.vips_black(ctypes.byref(image), ctypes.c_int(width), ctypes.c_int(height), b"bands",
                                    ctypes.c_int(bands), end)
        failed = failed or library.vips_jxlsave(image, str(path).encode(), b"effort", ctypes.c_int(3), b"lossless",
                                                ctypes.c_int(lossless), end)
        if failed:
            raise SystemExit("libvips writes no JPEG XL here: install it with its modules")
        library.g_object_unref(image)
        return path.read_bytes()


def more_pictures(space, size):
    """`space(reader, name, suffix, make, numbers, **most)`; `size`: the numbers of a small picture."""
    yield space("GIF", "one colour", ".gif", flat_gif, size | {"frames": 1}, width=65535, height=65535, frames=1 << 16)
    for kind, name in ((1, "bits in text"), (2, "grey in text"), (3, "colours in text"), (4, "bits"), (5, "grey"), (6, "colours")):
        yield space("PPM", name, ".ppm", lambda width, height, kind=kind: ppm(kind, width, height), size)
    yield space("PPM", "comments", ".ppm", ppm_comments, {"n": 4})
    yield space("JPEG 2000", "empty packets", ".j2k", flat_jp2, size | {"components": 1, "layers": 1, "levels": 1, "tiles": 1},
                width=1 << 20, height=1 << 20, components=3, layers=65535, levels=32, tiles=64)
    yield space("JPEG XL", "black", ".jxl", lambda width, height, bands, lossless: flat_jxl(width, height, bands, lossless - 1),
                size | {"bands": 1, "lossless": 1}, width=9000, height=9000, bands=3, lossless=2)
    for bits in (16, 32):
        yield space("TIFF, 16 and 32 bits", f"black strips of {bits} bits", ".tif", lambda width, height, samples, rows, bits=bits:
                    pictures.black_tiff(width, height, bits, samples, rows), size | {"samples": 1, "rows": 16}, width=1 << 20,
                    height=1 << 20, samples=8)
        yield space("TIFF, 16 and 32 bits", f"black tiles of {bits} bits", ".tif", lambda width, height, samples, tile, bits=bits:
                    pictures.black_tiff(width, height, bits, samples, tile=tile), size | {"samples": 1, "tile": 256},
                    width=1 << 20, height=1 << 20, samples=8, tile=8192)
