"""What attacks/costs.py searches in: the containers and kinds of pickle beside the zip of torch.save."""
import json
import zlib

from attack import EXTRACT, INSPECT, REFERENCE
from families import numpy as arrays
from families.deflate import deflate, packed
from families.legacy import GOOD, keys, legacy, storage
from families.opaque import opaque
from families.torchscript import archive, module
from formats.pickle_ops import le, model, tensor, text, torch_zip
from formats.zip_file import Entry, build

BOTH = (INSPECT, EXTRACT)


# ---- TorchScript ----
def script_values(n, name):
    """`n` attributes that are nothing, beside a tensor."""
    return archive(module(text("w") + tensor() + b"".join(text(str(i).rjust(name, "n")) + b"N" for i in range(n))))


def script_tensors(n, name):
    return archive(module(b"".join(text(str(i).rjust(name, "n")) + tensor() for i in range(n))))


def script_shared(modules, tensors):
    """`modules` attributes that are one module of `tensors` tensors: names are products."""
    inner = module(b"".join(text(f"{i:x}") + (tensor() + b"q\2" if i == 0 else b"h\2") for i in range(tensors))) + b"q\1"
    return archive(module(text("m") + inner + b"".join(text(f"{i:x}") + b"h\1" for i in range(modules))))


def script_chain(depth, name):
    before, after = module(text("n" * name) + b"{body}").split(b"{body}")
    return archive(before * depth + module(text("w") + tensor()) + after * depth)


def script_lists(n):
    return archive(module(text("w") + tensor() + text("l") + b"](" + b"]" * n + b"e"))


# ---- torch before 1.6 ----
def legacy_tensors(n, name, axes):
    shape = (1,) * max(0, axes - 1) + (6,)
    rows = b"".join(text(str(i).rjust(name, "n")) + tensor(shape=shape, strides=(1,) * len(shape)) for i in range(n))
    return legacy(pickle=b"\x80\x02}(" + rows + b"u.")


def legacy_storages(n):
    """One empty tensor in each."""
    rows = b"".join(text(f"{i:x}") + tensor(key=f"{i:x}", elements=0, shape=(0,), strides=(1,)) for i in range(n))
    return legacy(pickle=b"\x80\x02}(" + rows + b"u.", names=keys(*(f"{i:x}" for i in range(n))),
                  storages=storage(b"", 0) * n)


def legacy_values(version, body, names):
    """Empty lists in each of the pickles that stand one behind another."""
    many = lambda n, last: b"\x80\x02](" + b"]" * n + b"e0" + last
    return legacy(version=many(version, b"M\xe9\x03."), pickle=many(body, GOOD[2:]), names=many(names, b"](" + text("0") + b"e."))


# ---- deflated entries ----
def deflated_weights(elements):
    return build([packed(b"t/data.pkl", model(tensor(elements=elements, shape=(elements,), strides=(1,)))),
                  packed(b"t/data/0", bytes(4 * elements))])


def deflated_pickle(body):
    return build([packed(b"t/data.pkl", body), Entry(b"t/data/0", b"\1" * 24)])


def deflated_lists(n, tuples):
    return deflated_pickle(model(tensor(), text("x") + b"](" + b"]" * n + b"]" + b"\x85" * tuples + b"e"))


def deflated_tensors(n, name):
    return deflated_pickle(b"\x80\x02}(" + b"".join(text(str(i).rjust(name, "n")) + tensor() for i in range(n)) + b"u.")


def deflated_entries(n):
    """Each of them a stream of its own."""
    rows = b"".join(text(f"{i:x}") + tensor(key=f"{i:x}", elements=1, shape=(1,), strides=(1,)) for i in range(n))
    one = deflate(bytes(4))
    return build([packed(b"t/data.pkl", b"\x80\x02}(" + rows + b"u."),
                  *(packed(f"t/data/{i:x}".encode(), bytes(4), one) for i in range(n))])


def deflated_nothing(blocks):
    """Empty blocks before the contents."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return build([packed(b"t/data.pkl", GOOD), packed(b"t/data/0", b"\1" * 24, b"\0\0\0\xff\xff" * blocks
                                                      + stream.compress(b"\1" * 24) + stream.flush())])


def deflated_array(values):
    image = arrays.npy(arrays.fields("'|u1'", shape=f"(1, 3, 1, {values})"), bytes(3 * values))
    return build([packed(b"images.npy", image), packed(b"logits.npy", arrays.npy(arrays.fields("'|u1'", shape=f"({values},)"),
                                                                                  bytes(values)))])


# ---- protocols 0 and 1 ----
def beside_old(values):
    """Without a word on the protocol."""
    return torch_zip(model(tensor(), text("x") + values)[2:])


OLD = {
    "integers": lambda n: b"](" + b"I1\n" * n + b"e",
    "one long integer": lambda n: b"L" + b"7" * n + b"L\n",
    "long integers": lambda n: b"](" + (b"L" + b"7" * 4096 + b"L\n") * n + b"e",
    "numbers": lambda n: b"](" + b"F1e9\n" * n + b"e",
    "empty texts": lambda n: b"](" + b"V\n" * n + b"e",
    "texts of escapes": lambda n: b"V" + b"\\u20ac" * n + b"\n",
    "letters that become two bytes": lambda n: b"V" + b"\xe4" * n + b"\n",
    "quoted texts of escapes": lambda n: b"S'" + b"\\x41" * n + b"'\n",
    "quoted empty texts": lambda n: b"](" + b"S''\n" * n + b"e",
    "the memo": lambda n: b"".join(b"Np%d\n0" % i for i in range(n)) + b"N",
    "recalled": lambda n: b"Np1\n0](" + b"g1\n" * n + b"e",
    "dicts of marks": lambda n: b"](" + b"(d" * n + b"e",
    "lists of marks": lambda n: b"](" + b"(l" * n + b"e",
    "objects": lambda n: b"](" + b"(ia\nB\n" * n + b"e",
    "other objects": lambda n: b"](" + b"".join(b"(ia\nB%d\n" % i for i in range(n)) + b"e",
    "storages": lambda n: b"](" + b"P('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 6)\n" * n + b"e",
    "marks": lambda n: b"(" * n + b"N" + b"t" * n,
}

OPAQUE = {
    "calls of calls": lambda n: opaque() + b")R" * n,
    "objects of one class": lambda n: opaque() + b"q\0" + b"0](" + b"h\0)\x81" * n + b"e",
    "classes": lambda n: b"](" + b"".join(opaque("m", f"n{i:x}") for i in range(n)) + b"e",
    "states": lambda n: opaque() + b")\x81" + b"}b" * n,
    "lists with items": lambda n: opaque() + b")\x81" + b"Na" * n,
    "nested": lambda n: opaque() + b"q\0" + b"q\1" + b"0h\0h\1\x85R" * n,
    "numpy scalars": lambda n: b"](" + (b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n" + text("f8") + b"\x85RC\x08"
                                        + bytes(8) + b"tR") * n + b"e",
    "known names": lambda n: b"](" + b"ctorch\nquint2x4\n" * n + b"e",
    "sparse tensors": lambda n: b"](" + b"ctorch._utils\n_rebuild_sparse_tensor\n(NtR" * n + b"e",
}


def shared_arguments(calls, values):
    """Each call copies the same arguments."""
    return torch_zip(model(tensor(), text("x") + b"(" + b"N" * values + b"tq\1" + opaque() + b"q\2" + b"](" + b"h\2h\1R" * calls
                           + b"e\x87"))


def configurations(nodes, values):
    content = text("_content") + b"h\1sb"
    return torch_zip(b"\x80\x02](" + b"K\1" * values + b"eq\1" + b"0" + model(tensor(), text("args") + b"}(" + b"".join(
        text(f"{i:x}") + b"comegaconf.listconfig\nListConfig\n)\x81}" + content for i in range(nodes)) + b"u")[2:])


# ---- shards ----
def empty_tensors(names):
    raw = json.dumps({name: {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for name in names}).encode()
    return le(len(raw), 8) + raw


def shards(files, tensors, name):
    """An index of `files` files with `tensors` tensors each."""
    parts = {f"f{i:x}": [str(i * tensors + k).rjust(name, "n") for k in range(tensors)] for i in range(files)}
    index = json.dumps({"weight_map": {tensor: file for file, names in parts.items() for tensor in names}})
    return {"": index.encode()} | {file: empty_tensors(names) for file, names in parts.items()}


def torch_shards(files, lists):
    """Of each file one tensor is asked for."""
    one = lambda i: torch_zip(b"\x80\x02}(" + text(f"w{i}") + tensor() + text("x") + b"](" + b"]" * lists + b"eu.")
    index = json.dumps({"weight_map": {f"w{i}": f"f{i}" for i in range(files)}})
    return {"": index.encode()} | {f"f{i}": one(i) for i in range(files)}


def index_alone(rows, name):
    return json.dumps({"weight_map": {str(i).rjust(name, "n"): "f" for i in range(rows)}}).encode()


def index_values(n):
    return b'{"weight_map": {"w": "f"}, "x": [' + b"0," * n + b"0]}"


def container_spaces(space):
    """`space(reader, name, make, numbers, commands, **most)` gives one for each command."""
    for name, make, numbers in (("attributes", script_values, {"n": 16, "name": 8}), ("tensors", script_tensors, {"n": 16, "name": 8}),
                                ("one module under many names", script_shared, {"modules": 16, "tensors": 16}),
                                ("modules in modules", script_chain, {"depth": 8, "name": 1}),
                                ("empty lists", script_lists, {"n": 16})):
        yield from space("TorchScript", name, make, numbers, BOTH, name=1000)
    for name, make, numbers in (("tensors", legacy_tensors, {"n": 16, "name": 8, "axes": 1}),
                                ("empty storages", legacy_storages, {"n": 16}),
                                ("values in all its pickles", legacy_values, {"version": 8, "body": 8, "names": 8})):
        yield from space("torch before 1.6", name, make, numbers, BOTH, name=1000, axes=64)
    for name, make, numbers in (("zeros as weights", deflated_weights, {"elements": 1024}),
                                ("empty lists, nested tuples", deflated_lists, {"n": 16, "tuples": 16}),
                                ("tensors", deflated_tensors, {"n": 16, "name": 8}),
                                ("entries", deflated_entries, {"n": 4}), ("empty blocks", deflated_nothing, {"blocks": 16})):
        yield from space("deflated entries", name, make, numbers, BOTH, name=1000, elements=1 << 28, n=1 << 25, tuples=1 << 25)
    for name, values in OLD.items():
        yield from space("protocols 0 and 1", name, lambda n, values=values: beside_old(values(n)), {"n": 16}, (INSPECT,))
    for name, values in OPAQUE.items():
        yield from space("opaque objects", name, lambda n, values=values: torch_zip(model(tensor(), text("x") + values(n))),
                         {"n": 16}, (INSPECT,))
        yield from space("opaque objects", name + " in args",
                         lambda n, values=values: torch_zip(model(tensor(), text("args") + b"}" + text("x") + values(n) + b"s")),
                         {"n": 16}, (EXTRACT,))
    yield from space("opaque objects", "calls with the same arguments", shared_arguments, {"calls": 8, "values": 8}, (INSPECT,))
    yield from space("opaque objects", "configurations of one list", configurations, {"nodes": 8, "values": 8}, BOTH)
    for name, make, numbers in (("files of safetensors", shards, {"files": 2, "tensors": 4, "name": 8}),
                                ("files of torch", torch_shards, {"files": 2, "lists": 4}),
                                ("rows of one file that is not there", index_alone, {"rows": 8, "name": 8}),
                                ("values", index_values, {"n": 8})):
        yield from space("shards", name, make, numbers, BOTH, suffix=".index.json", name=1000)
    yield from space("NumPy, deflated", "zeros", deflated_array, {"values": 1024}, (REFERENCE,), suffix=".npz", sound="rgb.png",
                     values=1 << 27)
