#!/usr/bin/env python3
"""png_to_rgb.py PNG OUT: the pixels of an 8-bit RGB PNG as raw bytes, row by row; prints "WIDTH HEIGHT".

Only the standard library, for where no decoder is (scripts/cross.sh).
"""

import struct
import sys
import zlib


def unfilter(kind: int, line: bytearray, above: bytearray) -> None:
    """Undoes one of PNG's five filters in place; pixels have 3 bytes."""
    for i in range(len(line)):
        left = line[i - 3] if i >= 3 else 0
        up = above[i]
        corner = above[i - 3] if i >= 3 else 0
        if kind == 1:
            line[i] = (line[i] + left) & 255
        elif kind == 2:
            line[i] = (line[i] + up) & 255
        elif kind == 3:
            line[i] = (line[i] + (left + up) // 2) & 255
        elif kind == 4:
            guess = left + up - corner
            best = min((left, up, corner), key=lambda value: abs(guess - value))
            line[i] = (line[i] + best) & 255


def main() -> None:
    data = open(sys.argv[1], "rb").read()
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if (depth, colour, interlaced) != (8, 2, 0):
        sys.exit(f"{sys.argv[1]}: not a plain 8-bit RGB PNG")
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(packed)
    row = width * 3
    above = bytearray(row)
    with open(sys.argv[2], "wb") as out:
        for y in range(height):
            start = y * (row + 1)
            line = bytearray(raw[start + 1 : start + 1 + row])
            unfilter(raw[start], line, above)
            out.write(line)
            above = line
    print(width, height)


main()
