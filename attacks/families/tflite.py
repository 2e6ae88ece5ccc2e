"""Models: offsets, lengths, indices, shapes and types that lie. LiteRT itself checks little of this."""
from attack import DETECT, EMBED, INSPECT, Attack
from formats import flatbuffer
from formats.flatbuffer import load, patch, patch_all, walk

SOUND, SUFFIX, COMMANDS, MEMORY = "detector.float32.tflite", ".tflite", (INSPECT, DETECT), 256
# Sound tables, but no network that detect would run.
REFUSED = {"inspect": 0, "detect": 65}
NOT_OURS = {"inspect": 0, "detect": 69}
G = "subgraphs[0]"


def first(data, kind):
    """The number of the first operator of that kind."""
    places = walk(data)
    number = lambda path: load(data, *places[path]) if path in places else 0
    codes = [number(f"operator_codes[{number(f'{G}.operators[{i}].opcode_index')}].deprecated_builtin_code")
             for i in range(number(f"{G}.operators/length"))]
    return codes.index(kind)


def share(data, paths, target):
    """Each offset in `paths` points at what `target` points at."""
    places = walk(data)
    at = places[target + "/offset"].offset
    to = at + load(data, at, "u32")
    return patch_all(data, {path + "/offset": to - places[path + "/offset"].offset for path in paths})


CONV, FULLY_CONNECTED, TRANSPOSE, MEAN = 3, 9, 39, 40


def fields(data):
    """name, changed fields, status, words"""
    conv, dense, turn = (f"{G}.operators[{first(data, kind)}]" for kind in (CONV, FULLY_CONNECTED, TRANSPOSE))
    tensor = lambda op, i: f"{G}.tensors[{load(data, *walk(data)[f'{op}.inputs[{i}]'])}]"
    weight, bias, axes, image = tensor(conv, 1), tensor(conv, 2), tensor(turn, 1), f"{G}.tensors[0]"
    output = f"{G}.tensors[{load(data, *walk(data)[conv + '.outputs[0]'])}]"
    buffer = f"buffers[{load(data, *walk(data)[weight + '.buffer'])}]"
    far = 2**31 - 1
    for value in (far, -2, 2**31, 10000):
        yield f"operator reads tensor {value}", {f"{conv}.inputs[0]": value}, 65, ("tensor index",)
        yield f"operator writes tensor {value}", {f"{conv}.outputs[0]": value}, 65, ("tensor index",)
        yield f"subgraph's input is tensor {value}", {f"{G}.inputs[0]": value}, 65, ("tensor index",)
        yield f"signature's output is tensor {value}", {"signature_defs[0].outputs[0].tensor_index": value}, 65, ()
        yield f"tensor of buffer {value}", {f"{weight}.buffer": value}, 65, ("buffer",)
        yield f"operator code {value}", {f"{conv}.opcode_index": value}, 65, ("operator code",)
        yield f"weight's size is {value}", {f"{weight}.shape[0]": value}, 65, ("weight",)
    for i in (0, 1):
        yield f"input {i} is left out", {f"{conv}.inputs[{i}]": -1}, REFUSED, ("read by nothing",)
    yield "operator reads its own output", {f"{conv}.inputs[0]": load(data, *walk(data)[conv + ".outputs[0]"])}, 65, (
        "before it is made",)
    yield "operator writes its weight", {f"{conv}.outputs[0]": load(data, *walk(data)[conv + ".inputs[1]"])}, 65, ()
    yield "operator writes the picture", {f"{conv}.outputs[0]": 0}, 65, ()
    yield "weights and picture swapped", {f"{conv}.inputs[0]": load(data, *walk(data)[conv + ".inputs[1]"]),
                                          f"{conv}.inputs[1]": 0}, REFUSED, ()
    yield "bias and weight swapped", {f"{conv}.inputs[1]": load(data, *walk(data)[conv + ".inputs[2]"]),
                                      f"{conv}.inputs[2]": load(data, *walk(data)[conv + ".inputs[1]"])}, REFUSED, ()
    yield "a bias that is a weight", {f"{bias}.buffer": load(data, *walk(data)[weight + ".buffer"])}, 65, ("weight",)
    yield "activation of another shape", {f"{output}.shape[1]": 1}, REFUSED, ("shape",)
    yield "activation of 2^31 rows", {f"{output}.shape[1]": far}, NOT_OURS, ("shape",)
    yield "activation of -1 rows", {f"{output}.shape[1]": -1}, NOT_OURS, ("shape",)
    yield "picture of 2^31 pixels", {f"{image}.shape[2]": 46341, f"{image}.shape[3]": 46341}, NOT_OURS, ("shape",)
    yield "picture of 0 pixels", {f"{image}.shape[2]": 0}, NOT_OURS, ("shape",)
    yield "picture of 5 channels", {f"{image}.shape[1]": 5}, REFUSED, ()
    for kind in (0, 5, 13, 127):  # float32, text, resource, none
        yield f"axes of type {kind}", {f"{axes}.type": kind}, None, ()
    yield "custom operator number", {f"operator_codes[{load(data, *walk(data)[conv + '.opcode_index'])}].builtin_code": 32}, \
        NOT_OURS, ()
    for code in (1, 2, 16, 20, 44, 50, 67, 70, 92, 118, 119, 120, 124, 129, 133, 146, 151, 156, 205, 206, far, -1):
        yield f"another operator: {code}", {
            f"operator_codes[{load(data, *walk(data)[dense + '.opcode_index'])}].builtin_code": code}, \
            ({"inspect": 0, "detect": 0} if code in (1, 2, -1) else NOT_OURS), ()
    for field, value in (("field1", 0), ("field1", -1), ("field1", far), ("field2", 0), ("field2", 7)):
        if f"{conv}.options.{field}" in walk(data):
            yield f"convolution's {field} is {value}", {f"{conv}.options.{field}": value}, None, ()
    yield "options of another operator", {f"{conv}.options_type": 8}, None, ()
    yield "options of a kind that nobody knows", {f"{conv}.options_type": 255}, NOT_OURS, ()
    version = next(path for path in walk(data) if path.startswith("operator_codes") and path.endswith(".version"))
    yield "version of an operator", {version: far}, NOT_OURS, ("version",)
    yield "metadata of another buffer", {"metadata[0].buffer": far}, 65, ("metadata",)


def types(data):
    """Of the int8 model: float32 is the default, which has no place in the tables."""
    scales = next(path for path in walk(data) if path.endswith(".quantization.scale/length"))[:-13]
    weight = scales[:-13]
    for kind in (0, 1, 2, 4, 17, 18):
        yield f"int8 weight of type {kind}", {f"{weight}.type": kind}, 65, ("weight",)
    for kind in (5, 7, 8, 10, 11, 13, 14, 100, 127, -1):  # texts, complex, resources, variants, and none
        yield f"int8 weight of type {kind}", {f"{weight}.type": kind}, None, ()
    yield "one scale of two", {f"{scales}.scale/length": 2}, None, ()
    yield "no scales", {f"{scales}.scale/length": 0}, None, ()
    yield "one zero point", {f"{scales}.zero_point/length": 1}, None, ()
    yield "zero points of 2^63", {f"{scales}.zero_point[0]": 2**63}, None, ()
    yield "scales that are a vector of weights", {f"{scales}.scale/length": 4096}, None, ()
    yield "scale of infinity", {f"{scales}.scale[0]": float("inf")}, REFUSED, ()


def structure(data):
    """name, changed fields: the flatbuffer itself."""
    for path in ("root", "buffers/offset", f"{G}.tensors/offset", f"{G}.operators[0]/offset", f"{G}.tensors[3].name/offset",
                 f"{G}.tensors[3].shape/offset", "description/offset", "signature_defs[0].inputs/offset"):
        for value in (0, 4, 2**31 - 1, 2**31, 2**32 - 1, len(data), len(data) - 4):
            yield f"{path} is {value}", {path: value}
    for path in ("buffers", "operator_codes", "subgraphs", f"{G}.tensors", f"{G}.operators", f"{G}.tensors[3].shape",
                 f"{G}.tensors[3].name", f"{G}.inputs", "signature_defs"):
        for value in (2**31 - 1, 2**30, 2**32 - 1, len(data) // 4):
            yield f"length of {path} is {value}", {path + "/length": value}
    for path in (G, f"{G}.tensors[1]", f"{G}.operators[0]", "buffers[1]", "signature_defs[0]", ""):
        at = walk(data)[path + "/vtable"].offset
        for name, value in (("0, itself", 0), ("2^31", -2**31), ("behind the end", at - len(data)), ("before it", at + 1)):
            yield f"vtable of {path or 'the model'}: {name}", {path + "/vtable": value}
        for i, value in ((0, 0), (0, 1), (0, 3), (0, 65535), (1, 0), (1, 65535), (2, 65535), (2, 1)):
            if f"{path}/vtable[{i}]" in walk(data):
                yield f"vtable of {path or 'the model'}: word {i} is {value}", {f"{path}/vtable[{i}]": value}


def attacks(sound):
    data = sound("detector.float32.tflite")
    for name, changes, status, says in fields(data):
        yield Attack(name, patch_all(data, changes), status=NOT_OURS if status is None else status, says=says)
    int8 = sound("detector.int8.tflite")
    for name, changes, status, says in types(int8):
        yield Attack(name, patch_all(int8, changes), status=NOT_OURS if status is None else status, says=says)
    places = walk(data)
    type_word = places[f"{G}.tensors[0]/vtable[3]"].offset  # absent, so 0: now where has_rank is, which is 1
    rank_word = places[f"{G}.tensors[0]/vtable[10]"]
    halves = bytearray(data)
    flatbuffer.store(halves, type_word, "u16", load(data, *rank_word))
    yield Attack("activations of halves", bytes(halves), status=NOT_OURS)
    for name, changes in structure(data):
        yield Attack(name, patch_all(data, changes), status=None)
    yield from shared(data)
    yield from weights(data)
    yield from files(data, sound)


def shared(data):
    places = walk(data)
    tensors = [p[:-7] for p in places if p.startswith(f"{G}.tensors[") and p.count(".") == 1 and p.endswith("]/offset")]
    operators = [p[:-7] for p in places if p.startswith(f"{G}.operators[") and p.count(".") == 1 and p.endswith("]/offset")]
    yield Attack("all tensors are one", share(data, tensors, tensors[0]), status=None)
    yield Attack("all operators are one", share(data, operators, operators[0]))
    yield Attack("two tensors are one", share(data, [tensors[6]], tensors[5]), status=None)
    yield Attack("a tensor is an operator", share(data, [tensors[6]], operators[0]), status=None)
    yield Attack("a subgraph is a tensor", share(data, [G], tensors[0]), status=None)
    yield Attack("an operator is the subgraph", share(data, [operators[2]], G), status=None)
    yield Attack("the subgraph is a buffer", share(data, [G], "buffers[1]"), status=None)
    yield Attack("all buffers are one", share(data, [p[:-7] for p in places if p.startswith("buffers[")
                                                     and p.endswith("]/offset")], "buffers[1]"), status=None)
    yield Attack("a name is a vector of weights", share(data, [f"{G}.tensors[4].name"], "buffers[3].data"), status=None)
    yield from bombs()


def builder(tensors=1, name=b"x", buffers=1, buffer=b"", operators=0, list_length=1, metadata=0):
    """A model whose vectors hold one table again and again."""
    out = bytearray(b"\0\0\0\0TFL3")

    def align(size=4):
        out.extend(bytes(-len(out) % size))

    def u32(*values):
        out.extend(b"".join(v.to_bytes(4, "little") for v in values))

    def table(size, words, slots):
        """vtable, then the table; returns where it is. Slots are byte offsets, by field."""
        align()
        vtable = len(out)
        for word in [4 + 2 * len(slots), size] + slots:
            out.extend(word.to_bytes(2, "little"))
        align()
        at = len(out)
        u32(at - vtable, *words)
        return at

    def point(at, to):
        flatbuffer.store(out, at, "u32", to - at)

    def vector(count, target):
        align()
        at = len(out)
        u32(count)
        for i in range(count):
            u32(target - (at + 4 + 4 * i) & (2**32 - 1))
        return at

    # Offsets go forward: model, subgraph, vectors, and what all of their entries point at last.
    model = table(24, [3, 0, 0, 0, 0], [4, 8, 12, 0, 16] + ([0, 20] if metadata else []))
    out[0:4] = model.to_bytes(4, "little")
    pending = {}
    for key, slot, count in (("codes", 8, 1), ("subgraphs", 12, 1), ("buffers", 16, buffers)) + (
            (("metadata", 20, metadata),) if metadata else ()):
        align()
        point(model + slot, len(out))
        pending[key] = (len(out) + 4, count)
        u32(count, *[0] * count)
    subgraph = table(20, [0, 0, 0, 0], [4, 0, 0, 8] if operators else [4])
    align()
    point(subgraph + 4, len(out))
    pending["tensors"] = (len(out) + 4, tensors)
    u32(tensors, *[0] * tensors)
    if operators:
        point(subgraph + 8, len(out))
        pending["operators"] = (len(out) + 4, operators)
        u32(operators, *[0] * operators)
    ends = {"codes": table(4, [], []), "subgraphs": subgraph}
    ends["tensors"] = table(12, [0, 5], [0, 8, 0, 4])  # texts: of any size
    ends["buffers"] = table(8, [0], [4])
    if operators:
        ends["operators"] = table(8, [0], [0, 4])
    if metadata:
        ends["metadata"] = table(12, [0, 0], [4, 8])
    align()
    text = len(out)
    u32(len(name))
    out.extend(name + b"\0")
    point(ends["tensors"] + 4, text)
    if metadata:
        point(ends["metadata"] + 4, text)
    align(16)
    out.extend(bytes(12))
    data = len(out)
    u32(len(buffer))
    out.extend(buffer)
    point(ends["buffers"] + 4, data)
    if operators:
        align()
        point(ends["operators"] + 4, len(out))
        u32(list_length, *[2**32 - 1] * list_length)
    for key, (at, count) in pending.items():
        for i in range(count):
            point(at + 4 * i, ends[key])
    align(64)
    return bytes(out + bytes(64))


def bombs():
    """Small files that claim much by pointing at the same bytes again and again."""
    yield Attack("ten thousand tensors with one name of 1 MB", builder(tensors=10000, name=b"x" * (1 << 20)),
                 says=("shared",))
    yield Attack("300000 operators with one list of 300000 inputs", builder(operators=300000, list_length=300000),
                 says=("shared",))
    yield Attack("ten thousand metadata of one buffer of 1 MB", builder(metadata=10000, buffer=b"x" * (1 << 20)),
                 says=("shared",))
    yield Attack("ten thousand buffers of one 1 MB", builder(buffers=10000, buffer=b"x" * (1 << 20)),
                 status={"inspect": 0, "detect": 78})
    yield Attack("900000 tensors that are one", builder(tensors=900000), says=("shared",))


def weights(data):
    """Where they lie: Buffer.offset and Buffer.size belong to the large files; small ones get them by hand."""
    outside = with_outside(data, 64, 240)
    yield Attack("weights outside, at 64", outside, status=65)
    yield Attack("weights outside, over the whole file", with_outside(data, 2, len(data) - 1), says=("weight",))
    for name, offset, size in (("behind the end", len(data) + 100, 64), ("at 2^63", 2**63, 64), ("at 2^64 - 1", 2**64 - 1, 64),
                               ("of 2^64 - 64", 64, 2**64 - 64), ("that overflow to 0", 2**64 - 64, 64),
                               ("of 2^63", 64, 2**63)):
        yield Attack(f"weights outside, {name}", with_outside(data, offset, size), says=("cut off",))
    yield Attack("weights at the file's very end", data[:-64], status=REFUSED, says=("cut off",))


def with_outside(data, offset, size):
    """The first weight's buffer table is replaced by one at the end of the file, which has offset and size."""
    places = walk(data)
    number = next(i for i in range(len(places)) if f"buffers[{i}].data/length" in places
                  and load(data, *places[f"buffers[{i}].data/length"]) > 200)
    out = bytearray(data + bytes(-len(data) % 8))
    vtable = len(out)
    for word in (10, 24, 0, 8, 16):
        out.extend(word.to_bytes(2, "little"))
    out.extend(bytes(6))
    table = len(out)
    out.extend((table - vtable).to_bytes(4, "little") + bytes(4) + offset.to_bytes(8, "little") + size.to_bytes(8, "little"))
    at = places[f"buffers[{number}]/offset"].offset
    flatbuffer.store(out, at, "u32", table - at)
    return bytes(out)


def files(data, sound):
    embedder = sound("embedder.float32.tflite")
    yield Attack("an embedder for a detector", embedder, status={"inspect": 0, "detect": 78}, says=("no signature",))
    yield Attack("a detector for an embedder", data, commands=(EMBED,), status=78, says=("no signature",))
    yield Attack("embedder: a delta of another shape", patch(embedder, f"{G}.tensors[{last_output(embedder)}].shape[1]", 3),
                 commands=(EMBED,), says=("shape",))
    yield Attack("embedder: message of 2^31 bits", patch(embedder, f"{G}.tensors[{message(embedder)}].shape[1]", 2**31 - 1),
                 commands=(EMBED,), status=69)
    for size in (0, 4, 8, 12, 100, 1000, len(data) // 2, len(data) - 100):
        yield Attack(f"cut to {size} bytes", data[:size], status=None)
    yield Attack("only the header", b"\x10\0\0\0TFL3", says=("broken or cut off",))
    yield Attack("two gigabytes of zeros claimed", b"\xff\xff\xff\x7fTFL3" + bytes(100))
    yield Attack("other file identifier", data[:4] + b"TFL2" + data[8:], status=None)
    yield Attack("metadata of size 2^62", data.replace(b'"image_size":64', b'"image_size":9e'), status=0)
    dynamic = sound("detector.dynamic.tflite")
    yield Attack("free sizes: metadata says 16384", dynamic.replace(b'"image_size":64,', b'"image_size":16384,'[:16]),
                 status=0)
    yield Attack("names that steer the terminal", data.replace(b"downsample", b"\x1b[2J\x9b\x07\r\nxx"), status=0)
    yield Attack("description that steers the terminal", data.replace(b"Sealite", b"\x1b[2J\x9b7"), status=0)


def last_output(data):
    return load(data, *walk(data)[f"{G}.outputs[0]"])


def message(data):
    return load(data, *walk(data)["signature_defs[0].inputs[1].tensor_index"])
