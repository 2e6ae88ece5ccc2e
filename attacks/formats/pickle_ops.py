"""Pickle opcodes by hand: what torch.save writes, and what nobody should."""
from formats.zip_file import Entry, build


def le(value, size):
    return (value & (256 ** size - 1)).to_bytes(size, "little")


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return b"X" + le(len(data), 4) + data


def integer(value):
    width = 8 if -(1 << 63) <= value < 1 << 63 else 9
    return bytes([0x8A, width]) + value.to_bytes(width, "little", signed=True)


def numbers(values):
    return b"(" + b"".join(integer(v) for v in values) + b"t"


def tensor(storage_type=b"ctorch\nFloatStorage\n", key="0", elements=6, offset=0, shape=(2, 3), strides=(3, 1)):
    """torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())"""
    storage = b"(" + text("storage") + storage_type + text(key) + text("cpu") + integer(elements) + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + integer(offset) + numbers(shape) + numbers(strides) \
        + b"\x89ccollections\nOrderedDict\n)RtR"


def model(body, more=b""):
    """{"model": {"w": `body`}}, and more keys and values."""
    return b"\x80\x02}(" + text("model") + b"}" + text("w") + body + b"s" + more + b"u."


def torch_zip(pickle, storages=((b"0", b"\1" * 24),), more=()):
    entries = [Entry(b"t/data.pkl", pickle), Entry(b"t/byteorder", b"little")]
    entries += [Entry(b"t/data/" + name, contents) for name, contents in storages]
    return build(entries + [Entry(b"t/version", b"3\n")] + list(more))
