"""Zip archives as torch writes them (stored entries), right or wrong on purpose.

    build([Entry("t/data.pkl", pickle), Entry("t/data/0", floats)])

Every number of an entry's two headers can be overwritten: Entry(..., local={"size": 5}, central={"crc": 0}).
"""
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
    body, offsets = b"", []
    for entry in entries:
        offsets.append(len(body))
        if not entry.absent:
            body += local_header(entry) + entry.contents + entry.after
    directory = b"".join(directory_row(e, o) for e, o in zip(entries, offsets))
    said = {"count": len(entries), "size": len(directory), "offset": len(body)} | (end or {})
    return body + directory + end_record(said["count"], said["size"], said["offset"], comment)


def rebuild(data, changes):
    """The sound torch zip `data` again, with the contents of the entries in `changes` replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [Entry(name.encode(), changes.get(name, archive.read(name))) for name in archive.namelist()]
    return build(entries)


def pickle_name(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return next(name for name in archive.namelist() if name.endswith("/data.pkl"))


def read_entry(data, name):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def is_deflated(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return any(entry.compress_type == zipfile.ZIP_DEFLATED for entry in archive.infolist())


def with_stream(data, which, change):
    """The zip again, with the packed bytes of one entry changed and its numbers as they were, but for their length."""
    entries = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = archive.infolist()
        for index, row in enumerate(rows):
            at = row.header_offset + 30 + len(row.filename.encode())
            packed = data[at:at + row.compress_size]
            packed = change(packed) if index == which % len(rows) else packed
            said = {"method": row.compress_type, "size": row.file_size, "crc": row.CRC}
            entries.append(Entry(row.filename.encode(), packed, local=dict(said), central=dict(said)))
    return build(entries)
