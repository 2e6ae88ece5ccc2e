"""NumPy arrays that hold programs, or less than they say: .npy entries of the .npz that verify compares with."""
import struct

from attack import REFERENCE, Attack
from formats.zip_file import Entry, build

SOUND, SUFFIX, COMMANDS, MEMORY = "detector.float32.tflite", ".npz", (REFERENCE,), 256
LOGITS = bytes(7 * 4)


def npy(header, data=LOGITS, version=1, length=None):
    raw = header.encode("latin-1") if isinstance(header, str) else header
    length = len(raw) if length is None else length
    size = struct.pack("<H", length & 0xFFFF) if version == 1 else struct.pack("<I", length & 0xFFFFFFFF)
    return b"\x93NUMPY" + bytes([version, 0]) + size + raw + data


def fields(descr="'<f4'", order="False", shape="(1, 7)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


# name, logits.npy, status, words
ARRAYS = [
    ("objects", npy(fields("'|O'"), b"\x80\x02cos\nsystem\nX\1\0\0\0x\x85R."), 69, ("'|O'",)),
    ("a record", npy(fields("[('a', '|O')]")), 65, ()),
    ("a type that steers the terminal", npy(fields("'\x1b[2J\x9b'")), 69, ("elements of type",)),
    ("big-endian", npy(fields("'>f4'")), 69, ("'>f4'",)),
    ("text", npy(fields("'<U7'")), 69, ("'<U7'",)),
    ("complex", npy(fields("'<c8'")), 69, ("'<c8'",)),
    ("Fortran order", npy(fields(order="True")), 69, ("Fortran order",)),
    ("Fortran order that is no truth", npy(fields(order="1")), 65, ()),
    ("shape larger than the data", npy(fields(shape="(1000, 7)")), 65, ("do not fill",)),
    ("shape smaller than the data", npy(fields(shape="(1, 6)")), 65, ("do not fill",)),
    ("shape of 2^62", npy(fields(shape="(4611686018427387904, 7)")), 65, ("do not fill",)),
    ("shape that overflows to 7", npy(fields(shape="(9223372036854775807, 2, 7)")), 65, ()),
    ("shape of 2^64", npy(fields(shape="(18446744073709551616,)")), 65, ("'shape'",)),
    ("negative shape", npy(fields(shape="(-1, -7)")), 65, ("'shape'",)),
    ("shape of 100000 axes", npy(fields(shape="(" + "1," * 100000 + ")"), version=2), 65, ("'shape'",)),
    ("shape is a call", npy(fields(shape="__import__('os').system('touch x')")), 65, ("'shape'",)),
    ("shape without an end", npy(fields(shape="(1, 7")[:-4]), 65, ("'shape'",)),
    ("no fields", npy("{}\n"), 65, ()),
    ("header is cut off", npy(fields(), length=60000), 65, ("cut off",)),
    ("header of 4 GiB", npy(fields(), version=2, length=-1), 65, ("cut off",)),
    ("header of nothing", npy(""), 65, ()),
    ("version 255", npy(fields(), version=255), 65, ("version 255",)),
    ("no magic", b"\x92NUMPY\1\0" + bytes(100), 65, ("no .npy array",)),
    ("empty", b"", 65, ("no .npy array",)),
    ("only magic", b"\x93NUMPY\1\0", 65, ()),
]


def attacks(sound):
    images = npy(fields(shape="(1, 3, 64, 64)"), bytes(3 * 64 * 64 * 4))
    for name, logits, status, says in ARRAYS:
        data = build([Entry(b"images.npy", images), Entry(b"logits.npy", logits)])
        yield Attack(name, data, status=status, says=says)
    yield Attack("compressed: a bomb", build([Entry(b"images.npy", images), Entry(
        b"logits.npy", bytes(1000), local={"method": 8, "size": 2**32 - 2}, central={"method": 8, "size": 2**32 - 2})]),
        status=69, says=("compressed entries",))
    yield Attack("no such array", build([Entry(b"../images.npy", images)]), status=64, says=("no array",))
    yield Attack("twice", build([Entry(b"images.npy", images)] * 2), says=("images.npy",))
    yield Attack("a bare .npy", npy(fields()), says=("broken zip",))
    yield Attack("images of 2^31 pixels", build([Entry(b"images.npy", npy(fields(shape="(1, 3, 65536, 65536)"))),
                                                 Entry(b"logits.npy", npy(fields()))]), says=("do not fill",))
    yield Attack("images of another size", build([Entry(b"images.npy", npy(fields(shape="(1, 3, 1, 1)"), bytes(12))),
                                                  Entry(b"logits.npy", npy(fields()))]), status=78)
