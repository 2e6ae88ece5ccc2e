"""Zip archives as torch writes them (stored entries), right or wrong on purpose.

    build([Entry("t/data.pkl", pickle), Entry("t/data/0", floats)])

Every number of an entry's two headers can be overwritten: Entry(..., local={"size": 5}, central={"crc": 0}).
"""
import functools
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field


@dataclass
class Entry:
    name: bytes
    contents: bytes
    local: dict = field(default_factory=dict)
    central: dict = field(default_factory=dict)
    extra: bytes = b""          # of the central directory
    local_extra: bytes = b""
    after: bytes = b""          # bytes behind the contents: data descriptors
    absent: bool = False        # only in the directory: no header, no contents


def numbers(entry, offset):
    name = entry.name
    return {"version": 20, "flags": 0, "method": 0, "time": 0, "date": 0, "crc": zlib.crc32(entry.contents),
            "packed": len(entry.contents), "size": len(entry.contents), "name": name, "attributes": 0,
            "offset": offset}


def local_header(entry):
    n = numbers(entry, 0) | entry.local
    return struct.pack("<IHHHHHIIIHH", 0x04034B50, n["version"], n["flags"], n["method"], n["time"], n["date"],
                       n["crc"], n["packed"], n["size"], len(n["name"]), len(entry.local_extra)) \
        + n["name"] + entry.local_extra


def directory_row(entry, offset):
    n = numbers(entry, offset) | entry.central
    return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, n["version"], n["flags"], n["method"], n["time"],
                       n["date"], n["crc"], n["packed"], n["size"], len(n["name"]), len(entry.extra), 0, 0, 0,
                       n["attributes"], n["offset"]) + n["name"] + entry.extra


def end_record(count, size, offset, comment=b""):
    return struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, offset, len(comment)) + comment


def end_record64(count, size, offset, at):
    """The zip64 end record and its locator; `at` is where the record lies."""
    return struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, offset) \
        + struct.pack("<IIQI", 0x07064B50, 0, at, 1)


def build(entries, comment=b"", end=None):
    """`end`: numbers of the end record that are lies: count, size, offset."""
    parts, offsets, at = [], [], 0
    for entry in entries:
        offsets.append(at)
        if not entry.absent:
            parts += [local_header(entry), entry.contents, entry.after]
            at += sum(map(len, parts[-3:]))
    body = b"".join(parts)
    directory = b"".join(directory_row(e, o) for e, o in zip(entries, offsets))
    said = {"count": len(entries), "size": len(directory), "offset": len(body)} | (end or {})
    return body + directory + end_record(said["count"], said["size"], said["offset"], comment)


def rebuild(data, changes):
    """The sound torch zip `data` again, with the contents of the entries in `changes` replaced."""
    return build([Entry(name.encode(), changes.get(name, contents)) for name, contents in contents_of(data).items()])


@functools.lru_cache  # the few sound files, thousands of times
def contents_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pickle_name(data):
    return next(name for name in contents_of(data) if name.endswith("/data.pkl"))


def read_entry(data, name):
    return contents_of(data)[name]


@functools.lru_cache
def is_deflated(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return any(entry.compress_type == zipfile.ZIP_DEFLATED for entry in archive.infolist())


@functools.lru_cache
def packed_of(data):
    """Name, packed bytes, and what the headers say of them, of each entry."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = archive.infolist()
    starts = [row.header_offset + 30 + len(row.filename.encode()) for row in rows]
    return [(row.filename.encode(), data[at:at + row.compress_size],
             {"method": row.compress_type, "size": row.file_size, "crc": row.CRC}) for row, at in zip(rows, starts)]


def with_packed(data, which, change):
    """The zip again, with what `change` makes of the packed bytes and numbers of one entry."""
    rows = list(packed_of(data))
    which %= len(rows)
    name, packed, said = rows[which]
    rows[which] = (name, *change(packed, said))
    return build([Entry(name, packed, local=dict(said), central=dict(said)) for name, packed, said in rows])


def deflated_again(data, name, contents):
    """The zip again, with other contents of one entry, deflated."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(contents) + packer.flush()
    said = {"method": 8, "size": len(contents), "crc": zlib.crc32(contents)}
    return with_packed(data, list(contents_of(data)).index(name), lambda *_: (packed, said))
