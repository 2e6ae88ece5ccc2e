"""Finds every field of a .tflite file, so that one can be overwritten in place.

    places = walk(data)
    places["subgraphs[0].operators[2].inputs[1]"]    -> Place(offset, kind)
    patch(data, "buffers[3].offset", 1 << 40)        -> changed bytes

`walk` follows sound files only. Besides the fields it lists what holds them together: PATH/vtable (the signed
offset to it), PATH/vtable[i] (its 16-bit words), PATH/length (of a vector or string), PATH/offset (to a table,
vector or string).
"""
import functools
import struct
from collections import namedtuple

Place = namedtuple("Place", "offset kind")
FORMATS = {"i8": "<b", "u8": "<B", "u16": "<H", "i32": "<i", "u32": "<I", "f32": "<f", "i64": "<q", "u64": "<Q"}

# Fields in order, as src/tflite/schema.fbs has them; None stands for one that is not used.
TABLES = {
    "Model": [("version", "u32"), ("operator_codes", "[OperatorCode]"), ("subgraphs", "[SubGraph]"),
              ("description", "string"), ("buffers", "[Buffer]"), ("metadata_buffer", "[i32]"),
              ("metadata", "[Metadata]"), ("signature_defs", "[SignatureDef]")],
    "OperatorCode": [("deprecated_builtin_code", "i8"), ("custom_code", "string"), ("version", "i32"),
                     ("builtin_code", "i32")],
    "SubGraph": [("tensors", "[Tensor]"), ("inputs", "[i32]"), ("outputs", "[i32]"), ("operators", "[Operator]"),
                 ("name", "string")],
    "Tensor": [("shape", "[i32]"), ("type", "i8"), ("buffer", "u32"), ("name", "string"),
               ("quantization", "Quantization"), ("is_variable", "i8"), None, ("shape_signature", "[i32]"),
               ("has_rank", "i8")],
    "Quantization": [("min", "[f32]"), ("max", "[f32]"), ("scale", "[f32]"), ("zero_point", "[i64]"),
                     ("details_type", "u8"), None, ("quantized_dimension", "i32")],
    "Operator": [("opcode_index", "u32"), ("inputs", "[i32]"), ("outputs", "[i32]"), ("options_type", "u8"),
                 ("options", "Options")],
    # Every operator's options are small scalars; which is which does not matter for changing them.
    "Options": [(f"field{i}", "word") for i in range(8)],
    "Buffer": [("data", "[u8]"), ("offset", "u64"), ("size", "u64")],
    "Metadata": [("name", "string"), ("buffer", "u32")],
    "TensorMap": [("name", "string"), ("tensor_index", "u32")],
    "SignatureDef": [("inputs", "[TensorMap]"), ("outputs", "[TensorMap]"), ("signature_key", "string"), None,
                     ("subgraph_index", "u32")],
}


def load(data, offset, kind):
    return struct.unpack_from(FORMATS[kind], data, offset)[0]


def store(data, offset, kind, value):
    """Writes `value` cut to the field's width, so that any integer will do."""
    size = struct.calcsize(FORMATS[kind])
    if kind == "f32":
        struct.pack_into("<f", data, offset, value)
    else:
        data[offset:offset + size] = (value & (256 ** size - 1)).to_bytes(size, "little")


class Walker:
    def __init__(self, data):
        self.data = data
        self.places = {"root": Place(0, "u32")}
        self.table("Model", load(data, 0, "u32"), "")

    def follow(self, offset, path):
        self.places[path + "/offset"] = Place(offset, "u32")
        return offset + load(self.data, offset, "u32")

    def table(self, name, at, path):
        self.places[path + "/vtable"] = Place(at, "i32")
        vtable = at - load(self.data, at, "i32")
        words = load(self.data, vtable, "u16") // 2
        for i in range(words):
            self.places[f"{path}/vtable[{i}]"] = Place(vtable + 2 * i, "u16")
        ends = sorted(load(self.data, vtable + 2 * i, "u16") for i in range(1, words)) + [4]
        for i, field in enumerate(TABLES[name]):
            offset = load(self.data, vtable + 4 + 2 * i, "u16") if i + 2 < words else 0
            if field is None or offset == 0:
                continue
            kind = field[1]
            if kind == "word":  # as wide as the room before the next field, at most 4 bytes
                room = min((end - offset for end in ends if end > offset), default=1)
                kind = "i32" if room >= 4 and offset % 4 == 0 else "i8"
            self.field(kind, at + offset, f"{path}.{field[0]}".lstrip("."))

    def field(self, kind, offset, path):
        if kind in FORMATS:
            self.places[path] = Place(offset, kind)
        elif kind == "string":
            at = self.follow(offset, path)
            self.places[path + "/length"] = Place(at, "u32")
            self.places[path] = Place(at + 4, "u8")
        elif kind.startswith("["):
            self.vector(kind[1:-1], self.follow(offset, path), path)
        else:
            self.table(kind, self.follow(offset, path), path)

    def vector(self, kind, at, path):
        self.places[path + "/length"] = Place(at, "u32")
        length = load(self.data, at, "u32")
        if kind == "u8":  # weights
            self.places[path] = Place(at + 4, "u8")
            return
        width = struct.calcsize(FORMATS[kind]) if kind in FORMATS else 4
        for i in range(min(length, 64) if kind in FORMATS else length):
            self.field(kind, at + 4 + width * i, f"{path}[{i}]")


@functools.lru_cache(maxsize=8)  # the same sound file for hundreds of attacks
def walk(data):
    """All places of a sound file, by path; not to be changed."""
    return Walker(data).places


def patch(data, path, value):
    """The file with the field at `path` overwritten."""
    return patch_all(data, {path: value})


def patch_all(data, values):
    places = walk(data)
    changed = bytearray(data)
    for path, value in values.items():
        store(changed, places[path].offset, places[path].kind, value)
    return bytes(changed)


def read(data, path):
    place = walk(data)[path]
    return load(data, place.offset, place.kind)
