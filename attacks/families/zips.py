"""Archives that lie: names that climb out, entries that overlap, sizes that disagree, zip64, and what torch never
writes."""
import struct

from attack import CHECKPOINT, Attack
from formats.pickle_ops import le, model, tensor, text, torch_zip
from formats.zip_file import Entry, build, directory_row, end_record, end_record64, local_header

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 64
GOOD = model(tensor())
WEIGHTS = b"\1" * 24
# The archive is sound, only its w is no network: nothing but the checkpoint's own entries is ever used.
IGNORED = {"inspect": 0, "convert": 78, "extract": 0}

# Entries beside the checkpoint: names that mean other files to a careless unpacker.
NAMES = [b"../../../../tmp/" + b"zip-slip", b"/tmp/zip-slip", b"t/../../zip-slip", b"..\\..\\zip-slip", b"C:\\zip-slip",
         b"t/data/../../../zip-slip", b"//host/share", b"./o.pth", b"t\0/zip", b"t/\x1b[2J", b"t/\xff\xfe\x9b31m",
         b"t/data/" + b"\xc2\x9b" + b"2J", b"con", b"t/" + b"a" * 60000, b"", b"/", b"t/data/0/", b"t/data//0"]


def weights(**changes):
    """A sound archive but for what is said of the weights' entry."""
    return build([Entry(b"t/data.pkl", GOOD), Entry(b"t/data/0", WEIGHTS, **changes), Entry(b"t/version", b"3\n")])


def zip64(size=24, packed=24, offset=None):
    body = struct.pack("<QQ", size, packed) + (b"" if offset is None else struct.pack("<Q", offset))
    return struct.pack("<HH", 1, len(body)) + body


WIDE = {"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}

# name, what is wrong with the weights' entry, status, words
HEADERS = [
    ("local size is smaller", dict(local={"size": 8, "packed": 8}), 65, ("t/data/0", "another size")),
    ("local size is larger", dict(local={"size": 2**31, "packed": 2**31}), 65, ("t/data/0", "another size")),
    ("central size is smaller", dict(central={"size": 8, "packed": 8}), 65, ("t/data/0",)),
    ("central size is larger", dict(central={"size": 2**31, "packed": 2**31}), 65, ("t/data/0",)),
    ("packed and real size differ", dict(central={"packed": 8}), 65, ("two different sizes",)),
    ("a bomb: 4 GiB of 24 bytes, in the directory only", dict(central={"method": 8, "size": 0xFFFFFFF0},
                                                              local={"method": 8}), 65, ("another size",)),
    ("compressed in the local header only", dict(local={"method": 8}), 65, ("contradicts the directory",)),
    ("compressed in the directory only", dict(central={"method": 8}), 65, ("contradicts the directory",)),
    ("method 99: AES", dict(central={"method": 99}, local={"method": 99}), 69, ("compressed",)),
    ("bzip2", dict(central={"method": 12}, local={"method": 12}), 69, ("method 12",)),
    ("encrypted", dict(central={"flags": 1}, local={"flags": 1}), 69, ("encrypted",)),
    ("strongly encrypted", dict(central={"flags": 0x41}, local={"flags": 0x41}), 69, ("encrypted",)),
    ("another name in the local header", dict(local={"name": b"t/data/1"}), 65, ("contradicts the directory",)),
    ("a longer name in the local header", dict(local={"name": b"t/data/0/../0"}), 65, ("contradicts",)),
    ("header at 4 GiB", dict(central={"offset": 0xFFFFFFFE}), 65, ("no header where",)),
    ("header at the end", dict(central={"offset": 400}), 65, ("no header where",)),
    ("header of the pickle", dict(central={"offset": 0}), 65, ("contradicts",)),
    ("zip64 without a field", dict(central=WIDE), 65, ("without a zip64 field",)),
    ("zip64 field that is short", dict(central=WIDE, extra=struct.pack("<HHI", 1, 4, 24)), 65, ("too short",)),
    ("zip64 field that leaves the record", dict(central=WIDE, extra=struct.pack("<HHQ", 1, 60000, 24)), 65,
     ("without a zip64 field",)),
    ("zip64 size of 2^63", dict(central=WIDE, extra=zip64(1 << 63, 1 << 63)), 65, ("t/data/0",)),
    ("zip64 size of 2^64 - 1", dict(central=WIDE, extra=zip64((1 << 64) - 1, (1 << 64) - 1)), 65, ("t/data/0",)),
    ("zip64 sizes that differ", dict(central=WIDE, extra=zip64(24, 23)), 65, ("two different sizes",)),
    ("zip64 header at 2^64 - 1", dict(central=WIDE | {"offset": 0xFFFFFFFF}, extra=zip64(24, 24, (1 << 64) - 1)), 65,
     ("no header where",)),
    ("zip64 local size of 2^63", dict(local=WIDE, local_extra=zip64(1 << 63, 1 << 63)), 65, ("another size",)),
    ("zip64 local without a field", dict(local=WIDE), 65, ("without a zip64 field",)),
    ("sizes after the data", dict(local={"flags": 8, "size": 0, "packed": 0, "crc": 0},
                                  after=struct.pack("<IIII", 0x08074B50, 0, 24, 24), central={"flags": 8}), IGNORED, ()),
    ("sizes after the data that lie", dict(local={"flags": 8, "size": 0, "packed": 0, "crc": 0},
                                           after=struct.pack("<IIII", 0x08074B50, 0, 2**32 - 1, 2**32 - 1),
                                           central={"flags": 8}), IGNORED, ()),
    ("extra field of 65000 bytes", dict(local_extra=b"FB" + le(64996, 2) + bytes(64996)), IGNORED, ()),
    ("a symbolic link", dict(central={"attributes": 0o120777 << 16}), IGNORED, ()),
    ("a setuid device", dict(central={"attributes": 0o64777 << 16}), IGNORED, ()),
]


def attacks(sound):
    for name, changes, status, says in HEADERS:
        yield Attack(name, weights(**changes), status=status, says=says)
    for name in NAMES:
        beside = torch_zip(GOOD, more=[Entry(name, b"owned")])
        yield Attack(f"an entry named {name[:30]!r}", beside, status=IGNORED)
    link = Entry(b"t/link", b"/etc/passwd", central={"attributes": 0o120777 << 16})
    yield Attack("a link to /etc/passwd beside it", torch_zip(GOOD, more=[link]), status=IGNORED)
    yield Attack("the checkpoint's folder is ..", build([Entry(b"../data.pkl", GOOD), Entry(b"../data/0", WEIGHTS)]),
                 status=IGNORED)
    yield Attack("the checkpoint's folder is absolute", build([Entry(b"/data.pkl", GOOD), Entry(b"/data/0", WEIGHTS)]),
                 status=69, says=("a zip without NAME/data.pkl",))
    yield Attack("the checkpoint's folder is deep", build([Entry(b"../../t/data.pkl", GOOD)]), status=69)
    yield Attack("the checkpoint's folder steers the terminal", build([Entry(b"\x1b[2J/data.pkl", GOOD)]))
    yield from shared_entries()
    yield from end_records()
    yield from programs()


def shared_entries():
    pickle, zero = Entry(b"t/data.pkl", GOOD), Entry(b"t/data/0", WEIGHTS)
    yield Attack("an entry twice", build([pickle, zero, zero]), says=("t/data/0",))
    evil = Entry(b"t/data.pkl", b"\x80\x02cos\nsystem\n" + text("x") + b"\x85R.")
    yield Attack("two pickles, the good one first", build([pickle, evil, zero]), says=("appears twice",))
    yield Attack("two pickles, the bad one first", build([evil, pickle, zero]), says=("appears twice",))
    yield Attack("two checkpoints", build([pickle, Entry(b"u/data.pkl", GOOD), zero]), says=("two checkpoints",))
    yield Attack("only in the directory", build([pickle, Entry(b"t/data/0", WEIGHTS, absent=True)]), says=("t/data/0",))
    head = local_header(pickle) + GOOD
    rows = directory_row(pickle, 0) + directory_row(zero, len(head))
    inner = local_header(zero) + WEIGHTS
    yield Attack("weights inside the directory", head + rows + inner + end_record(2, len(rows), len(head)))
    nested = Entry(b"t/data/1", inner)  # "quines" and Fifield's bombs share bytes so
    body = head + local_header(nested) + inner
    rows = directory_row(pickle, 0) + directory_row(nested, len(head)) + directory_row(zero, len(head) + 38)
    yield Attack("an entry inside another", body + rows + end_record(3, len(rows), len(body)), says=("overlaps",))
    row = directory_row(zero, len(head))
    body = head + inner
    many = directory_row(pickle, 0) + b"".join(
        directory_row(Entry(b"t/data/%d" % i, WEIGHTS), len(head)) for i in range(60000))
    yield Attack("60000 entries that share their bytes", body + many + end_record(60001, len(many), len(body)))
    same = directory_row(pickle, 0) + row * 1000
    yield Attack("a thousand equal rows", body + same + end_record(1001, len(same), len(body)))


def end_records():
    good = torch_zip(GOOD)
    at = good.rindex(b"PK\5\6")
    count, size, offset = struct.unpack_from("<HII", good, at + 10)
    for name, lies in (("count of 65535", {"count": 65535}), ("count of 0", {"count": 0}), ("size of 0", {"size": 0}),
                       ("size of 4 GiB", {"size": 2**32 - 2}), ("offset of 4 GiB", {"offset": 2**32 - 2}),
                       ("offset of 0", {"offset": 0}), ("offset of one more", {"offset": offset + 1}),
                       ("size of one less", {"size": size - 1}), ("one entry less", {"count": count - 1})):
        yield Attack(f"end record: {name}", good[:at] + end_record(**{"count": count, "size": size, "offset": offset} | lies))
    yield Attack("end record: another disk", good[:at] + struct.pack("<IHHHHIIH", 0x06054B50, 3, 3, count, count, size,
                                                                     offset, 0), status=69, says=("disks",))
    yield Attack("no end record", good[:at])
    # The comment holds an end record of its own, for an archive with a program in it.
    evil = b"\x80\x02cos\nsystem\n" + text("touch x") + b"\x85R."
    other = build([Entry(b"e/data.pkl", evil)])
    comment = other[:-22] + end_record(1, len(other) - len(local_header(Entry(b"e/data.pkl", evil)) + evil) - 22, at + 22)
    yield Attack("comment with another end record", good[:at] + end_record(count, size, offset, comment))
    short = end_record(count, size, offset, comment)[:-1]
    yield Attack("comment that is cut", good[:at] + short)
    yield Attack("comment of 65535 end records", good[:at] + end_record(count, size, offset,
                                                                        (b"PK\5\6" * 16384)[:65535]), status=IGNORED)
    yield Attack("bytes before the archive", b"#!/bin/sh\ntouch x\n" + good, status=69)
    yield Attack("bytes behind the archive", good + b"\0", status=IGNORED)
    yield Attack("70,000 bytes behind the archive", good + bytes(70000), says=("no end record",))
    yield Attack("an end record of nothing behind the archive", good + end_record(0, 0, 0) + b"\n", status=69)
    wide = dict(count=count, size=size, offset=offset)
    for name, lies in (("count of 2^63", {"count": 1 << 63}), ("size of 2^63", {"size": 1 << 63}),
                       ("offset of 2^64 - 1", {"offset": (1 << 64) - 1}), ("record at 2^63", {"at": 1 << 63}),
                       ("record at its own locator", {"at": at + 56}), ("record before itself", {"at": 0})):
        record = end_record64(**wide | {"at": at} | lies)
        yield Attack(f"zip64 end record: {name}", good[:at] + record + end_record(65535, 2**32 - 1, 2**32 - 1))
    record = end_record64(**wide, at=at)
    yield Attack("zip64 end record that contradicts the other", good[:at] + record + end_record(1, size, offset),
                 says=("contradict",))
    two_million = directory_row(Entry(b"", b""), 0) * 50000
    yield Attack("zip64: 2^20 + 1 entries", local_header(Entry(b"", b"")) + two_million + end_record64(
        (1 << 20) + 1, len(two_million), 30, 30 + len(two_million)) + end_record(65535, 2**32 - 1, 2**32 - 1),
        says=("entries",))


def programs():
    """Archives that are no state dicts."""
    script = [Entry(b"t/data.pkl", GOOD), Entry(b"t/data/0", WEIGHTS)]
    yield Attack("code beside a state dict", build(script + [Entry(b"t/code/__torch__.py", b"import os")]), status=IGNORED)
    yield Attack("constants that run a program", build(script + [Entry(
        b"t/constants.pkl", b"\x80\x02cos\nsystem\n" + text("x") + b"\x85R.")]), status=IGNORED)
    yield Attack("big-endian", build(script + [Entry(b"t/byteorder", b"big")]), status=69, says=("big-endian",))
    yield Attack("byte order that steers the terminal", build(script + [Entry(b"t/byteorder", b"\x1b[2J")]),
                 says=("byte order",))
    yield Attack("checksum of the pickle", build([Entry(b"t/data.pkl", GOOD, central={"crc": 1}, local={"crc": 1}),
                                                  Entry(b"t/data/0", WEIGHTS)]), says=("checksum",))
    legacy = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e") + b"\x80\x02cos\nsystem\n" + text("x") + b"\x85R."
    yield Attack("the legacy format", legacy, says=("os.system",))
    yield Attack("a bare pickle", b"\x80\x02cos\nsystem\n" + text("x") + b"\x85R.", status=69)
    yield Attack("a tar", b"data.pkl".ljust(257, b"\0") + b"ustar\x0000".ljust(255, b"\0"), status=69)
    yield Attack("gzip", b"\x1f\x8b\x08" + bytes(100), status=69)
    yield Attack("nothing", b"", says=("empty",))
    yield Attack("PK", b"PK\3\4")
    yield Attack("a hundred thousand PK", b"PK\3\4" * 100000)
