"""One checkpoint in the other containers that torch has written: TorchScript, torch before 1.6, deflated entries, old
protocols, several files."""
import io
import json
import pickle as python_pickle
import pickletools
import sys
import types
import zipfile

from formats.pickle_ops import le, text
from formats.zip_file import Entry, build

LEGACY_HEAD = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e") + b"\x80\x02M" + le(1001, 2) + b".\x80\x02}" \
    + text("little_endian") + b"\x88s."
OPAQUE = text("best") + b"cnumpy._core.multiarray\nscalar\n(cnumpy\ndtype\n(" + text("f8") + b"\x89\x88tR(K\3" + text("<") \
    + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tbc_codecs\nencode\n(" + text("12345678") + text("latin1") + b"tRtR" \
    + text("path") + b"cpathlib\nPosixPath\n" + text("a") + b"\x85R" + text("own") + b"cmy.module\nClass\n)\x81}" + text("a") \
    + b"](K\1K\2esb"


def parts(data):
    """data.pkl, and the storages by their keys, of a zip of torch.save."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        folder = next(name for name in names if name.endswith("/data.pkl"))[:-len("data.pkl")]
        storages = {name[len(folder) + 5:]: archive.read(name) for name in names if name.startswith(folder + "data/")}
        return archive.read(folder + "data.pkl"), storages


def legacy(pickle, storages):
    keys = b"\x80\x02](" + b"".join(text(key) for key in storages) + b"e."
    counts = element_counts(pickle)
    return LEGACY_HEAD + pickle + keys + b"".join(le(counts[key], 8) + contents for key, contents in storages.items())


def element_counts(pickle):
    """Of each storage, by its key: ("storage", type, key, place, count)."""
    counts, texts, number, memo, last = {}, [], 0, {}, None
    for opcode, argument, _ in pickletools.genops(pickle):
        if opcode.name in ("BINGET", "LONG_BINGET"):
            argument = memo[argument]
        elif opcode.name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = last
            continue
        last = argument
        if opcode.name == "BINPERSID":
            counts[texts[-2]] = number
        elif isinstance(argument, int):
            number = argument
        elif isinstance(argument, str) and opcode.name != "GLOBAL":
            texts.append(argument)
    return counts


def script(tensors):
    """A TorchScript with a module for each word of a name, whose tensors are given by their opcodes."""
    tree = {}
    for name, opcodes in tensors:
        at = tree
        *words, leaf = name.split(".")
        for word in words:
            at = at.setdefault(word, {})
        at[leaf] = opcodes

    def module(node):
        if isinstance(node, bytes):
            return node
        return b"c__torch__\nModule\n)\x81}(" + b"".join(text(word) + module(value) for word, value in node.items()) + b"ub"

    return b"\x80\x02" + module(tree) + b"."


def tensors_of(pickle):
    """The opcodes of each tensor of the model, with its name. make-checkpoint writes no memo but that of globals."""
    operations = list(pickletools.genops(pickle))
    ends = [at for _, _, at in operations[1:]] + [len(pickle)]
    found, name, start = [], None, None
    memo = {}
    body = b""
    for (opcode, argument, at), end in zip(operations, ends):
        piece = pickle[at:end]
        if opcode.name == "GLOBAL":
            last = piece
        elif opcode.name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = last
            continue
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            piece = last = memo[argument]
        starts = piece.startswith(b"ctorch._utils\n_rebuild_tensor")
        if starts:
            body, depth = b"", 0
        if name is not None and (starts or body):
            body += piece
            if opcode.name == "REDUCE":
                depth += 1
                if depth == 2:  # the hooks' dict, the tensor
                    found.append((name, body))
                    name, body = None, b""
        elif opcode.name == "BINUNICODE":
            name = argument
    return found


class Storage:
    def __init__(self, parts):
        self.parts = parts


class Made:
    """What a call of a name gives; written as that call."""

    def __init__(self, function, arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def stand_in(module, name):
    """A function of that name, which Python's pickler finds where it looks."""
    home = sys.modules.setdefault(module, types.ModuleType(module))
    if not hasattr(home, name):
        function = lambda *arguments: Made(getattr(home, name), arguments)
        function.__module__, function.__name__, function.__qualname__ = module, name, name
        setattr(home, name, function)
    return getattr(home, name)


class Reader(python_pickle.Unpickler):
    def find_class(self, module, name):
        return super().find_class(module, name) if module == "collections" else stand_in(module, name)

    def persistent_load(self, parts):
        return Storage(parts)


class Writer(python_pickle._Pickler):  # pylint: disable=protected-access
    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        word, kind, *rest = value.parts
        return value.parts if self.bin else f"('{word}', <class 'torch.{kind.__name__}'>, {str(tuple(rest))[1:]}"


def in_protocol(pickle, protocol):
    """The same values as Python's own pickler writes them."""
    stream = io.BytesIO()
    Writer(stream, protocol).dump(Reader(io.BytesIO(pickle)).load())
    return stream.getvalue()


def shards(pickle, storages):
    """File names and contents: half of the tensors in each file, and what says so."""
    tensors = tensors_of(pickle)
    half = len(tensors) // 2
    index = {}
    entries = [Entry(f"t/data/{key}".encode(), contents) for key, contents in storages.items()]
    for file, part in (("small.shard1.pth", tensors[:half]), ("small.shard2.pth", tensors[half:])):
        index |= {name: file for name, _ in part}
        body = b"\x80\x02}(" + b"".join(text(name) + opcodes for name, opcodes in part) + b"u."
        yield file, build([Entry(b"t/data.pkl", body), *entries])
    yield "small.index.json", json.dumps({"metadata": {"total_size": 1}, "weight_map": index}).encode()


def deflated(data):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, zipfile.ZipFile(io.BytesIO(data)) as source:
        for entry in source.infolist():
            archive.writestr(entry.filename, source.read(entry))
    return stream.getvalue()


def variants(data):
    """File names and contents."""
    pickle, storages = parts(data)
    entries = [Entry(f"t/data/{key}".encode(), contents) for key, contents in storages.items()]
    yield "small.legacy.pth", legacy(pickle, storages)
    yield "small.jit.pth", build([Entry(b"t/data.pkl", script(tensors_of(pickle))), Entry(b"t/code/a.py", b"import os"),
                                  *entries])
    yield "small.opaque.pth", build([Entry(b"t/data.pkl", pickle[:-2] + OPAQUE + b"u."), *entries])
    yield "small.deflated.pth", deflated(data)
    for protocol in (0, 1):
        yield f"small.protocol{protocol}.pth", build([Entry(b"t/data.pkl", in_protocol(pickle, protocol)), *entries])
    yield from shards(pickle, storages)
