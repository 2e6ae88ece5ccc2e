"""Progressive JPEGs whose scans cost their decoder much and their writer nothing."""
import struct


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def scan(components, first, last, data):
    """SOS: of all components for DC, else of one; first approximation only."""
    head = bytes([len(components)]) + b"".join(bytes([c, 0]) for c in components) + bytes([first, last, 0])
    return segment(0xDA, head) + data


def runs_of_nothing(blocks):
    """The blocks' AC coefficients are all zero: runs of up to 32,767 of them, each the code 0 and 14 bits."""
    bits, count = 0, 0
    while blocks > 0:
        run = max(16384, min(blocks, 32767))
        bits, count, blocks = bits << 15 | (run - 16384), count + 15, blocks - run
    padding = -count % 8
    data = (bits << padding | (1 << padding) - 1).to_bytes((count + padding) // 8, "big")
    return data.replace(b"\xff", b"\xff\0")


def progressive(width, height, scans, components=1, frame=0xC2):
    """Grey or colour without subsampling, `scans` of them over the AC coefficients."""
    names = range(1, components + 1)
    sizes = struct.pack(">BHHB", 8, height, width, components) + b"".join(bytes([c, 0x11, 0]) for c in names)
    one_code = bytes([1] + [0] * 15)  # the code 0
    tables = segment(0xC4, b"\0" + one_code + b"\0") + segment(0xC4, b"\x10" + one_code + b"\xe0")
    blocks = -(-width // 8) * -(-height // 8)
    ac = [scan([c], 1, 63, runs_of_nothing(blocks)) for c in names]
    return b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64) + segment(frame, sizes) + tables \
        + scan(names, 0, 0, bytes(-(-blocks * components // 8))) \
        + b"".join(ac[i % components] for i in range(scans)) + b"\xff\xd9"
