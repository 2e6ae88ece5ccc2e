"""Pictures that claim many pixels in few bytes."""
import struct
import zlib


def chunk(kind, data, crc=None):
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def with_checksums(png):
    """Every chunk's checksum is made right, as far as the chunks' lengths are followed."""
    out, at = bytearray(png), 8
    while at + 12 <= len(out):
        length = struct.unpack_from(">I", out, at)[0]
        if length > len(out) - at - 12:
            break
        out[at + 8 + length:at + 12 + length] = struct.pack(">I", zlib.crc32(out[at + 4:at + 8 + length]))
        at += 12 + length
    return bytes(out)


def deflated(size):
    """`size` zeros."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    packed = [packer.compress(block) for _ in range(size >> 20)]
    return b"".join(packed) + packer.compress(bytes(size & 0xFFFFF)) + packer.flush()


PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def black_png(width, height, depth=1, colour=0, interlace=0, before=b""):
    bits = depth * {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    parts = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in PASSES] if interlace else [(width, height)]
    size = sum((-(-w * bits // 8) + 1) * h for w, h in parts if w > 0)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", deflated(size)) + chunk(b"IEND", b"")


def black_webp(width, height):
    """Lossless, five codes of one symbol each: no bits for any pixel."""
    fields = [(0x2F, 8), (width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    fields += [(1, 1), (0, 1), (0, 1), (0, 1)] * 5
    bits, count = 0, 0
    for value, size in fields:
        bits, count = bits | value << count, count + size
    data = bits.to_bytes(-(-count // 8) + 8, "little")
    data += bytes(len(data) % 2)
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def black_tiff(width, height, bits=8, samples=1, rows=16, tile=0):
    """All strips, or tiles, are the same deflated bytes."""
    line = -(-(tile or width) * bits * samples // 8)
    data = deflated(line * (tile or rows))
    parts = -(-width // tile) * -(-height // tile) if tile else -(-height // rows)
    tags = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * samples), 259: (3, [8]),
            262: (3, [2 if samples > 2 else 1]), 277: (3, [samples])}
    if samples not in (1, 3):
        tags[338] = (3, [0] * (samples - (3 if samples > 3 else 1)))
    offsets, counts = (324, 325) if tile else (273, 279)
    tags |= {322: (3, [tile]), 323: (3, [tile])} if tile else {278: (4, [rows])}
    tags |= {offsets: (4, [8] * parts), counts: (4, [len(data)] * parts)}
    out = b"II*\0" + struct.pack("<I", 8 + len(data) + len(data) % 2) + data + bytes(len(data) % 2)
    entries, extra = b"", b""
    after = len(out) + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            entries += struct.pack("<HHII", tag, kind, len(values), after + len(extra))
            extra += packed
        else:
            entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return out + struct.pack("<H", len(tags)) + entries + bytes(4) + extra
