"""safetensors headers that lie, repeat themselves, nest or never end."""
import json
import struct

from attack import CHECKPOINT, Attack

SOUND, SUFFIX, COMMANDS, MEMORY = "small.safetensors", ".safetensors", CHECKPOINT, 256
MISFIT = {"inspect": 0, "convert": 78, "extract": 0}
W = '"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'


def row(name="w", dtype='"F32"', shape="[2]", offsets="[0,8]"):
    return f'"{name}":{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}}}'


def file(header, data=b"12345678", length=None):
    raw = header.encode("utf-8", "surrogatepass") if isinstance(header, str) else header
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


# name, header, words
HEADERS = [
    ("offsets behind the data", "{" + row(offsets="[8,16]") + "}", ("leave the 8 bytes",)),
    ("offsets of 2^63", "{" + row(offsets="[0,9223372036854775808]") + "}", ("9223372036854775808",)),
    ("offsets of 2^64", "{" + row(offsets="[0,18446744073709551616]") + "}", ("integer",)),
    ("offsets backwards", "{" + row(offsets="[8,0]") + "}", ("data_offsets [8, 0]",)),
    ("negative offsets", "{" + row(offsets="[-8,0]") + "}", ("negative",)),
    ("one offset", "{" + row(offsets="[0]") + "}", ()),
    ("three offsets", "{" + row(offsets="[0,4,8]") + "}", ()),
    ("no shape", '{"w":{"dtype":"F32","data_offsets":[0,8]}}', ()),
    ("overlapping tensors", "{" + row() + "," + row("v") + "}", ("overlap",)),
    ("tensors that overlap by half", "{" + row(shape="[1]", offsets="[0,4]") + "," + row("v") + "}", ("overlap",)),
    ("a hole", "{" + row(shape="[1]", offsets="[4,8]") + "}", ("hole",)),
    ("bytes behind the last tensor", "{" + row(shape="[1]", offsets="[0,4]") + "}", ("end at byte 4",)),
    ("shape of 2^40", "{" + row(shape="[1099511627776]") + "}", ("needs",)),
    ("shape product overflows", "{" + row(shape="[4294967296,4294967296,2]") + "}", ("2^64",)),
    ("shape product overflows to 2", "{" + row(shape="[9223372036854775807,2,3]") + "}", ("w",)),
    ("negative shape", "{" + row(shape="[-2]") + "}", ("negative",)),
    ("fraction in a shape", "{" + row(shape="[2.0]") + "}", ("2.0",)),
    ("1e400 in a shape", "{" + row(shape="[1e400]") + "}", ()),
    ("shape of 100000 axes", "{" + row(shape="[" + ",".join("1" * 100000) + "]") + "}", ("axes",)),
    ("shape is text", "{" + row(shape='"2"') + "}", ()),
    ("shape in a shape", "{" + row(shape="[[2]]") + "}", ()),
    ("shape is null", "{" + row(shape="null") + "}", ("null",)),
    ("duplicate tensor", "{" + W + "," + W + "}", ("appears twice",)),
    ("duplicate tensor, other spelling", "{" + W + "," + W.replace('"w"', '"\\u0077"') + "}", ("appears twice",)),
    ("duplicate shape", '{"w":{"dtype":"F32","shape":[2],"shape":[3],"data_offsets":[0,8]}}', ("repeats",)),
    ("duplicate dtype", '{"w":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}', ()),
    ("duplicate metadata", '{"__metadata__":{"a":"1"},"__metadata__":{"a":"2"},' + W + "}", ("twice",)),
    ("metadata repeats a key", '{"__metadata__":{"a":"1","a":"2"},' + W + "}", ("repeats",)),
    ("metadata with a list", '{"__metadata__":{"a":[1]},' + W + "}", ("wrong place",)),
    ("metadata with an object", '{"__metadata__":{"a":{}},' + W + "}", ("wrong place",)),
    ("unknown key", '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"__reduce__":"os.system"}}', ("__reduce__",)),
    ("unknown key that steers the terminal", '{"w":{"\\u001b[2J\\u009b":"x"}}', ("unknown key",)),
    ("objects nested 100000 deep", '{"w":' * 100000, ()),
    ("lists nested 100000 deep", '{"w":{"shape":' + "[" * 100000, ()),
    ("no end", "{" + W, ("JSON",)),
    ("two objects", "{" + W + "}{" + W + "}", ("JSON",)),
    ("broken UTF-8", b'{"w\xff\xfe":1}', ()),
    ("a lone surrogate", '{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', ()),
    ("NUL in the header", "{" + W + "\0}", ()),
    ("a comment", "{/* */" + W + "}", ()),
    ("NaN", "{" + row(shape="[NaN]") + "}", ()),
    ("no header at all", "{", ()),
]


def attacks(sound):
    for name, header, says in HEADERS:
        yield Attack(name, file(header), says=says)
    for length in (0, 1, 1 << 31, 1 << 40, 1 << 63, (1 << 64) - 1, (1 << 64) - 8):
        yield Attack(f"length of {length}", file("{" + W + "}", length=length), says=())
    many = ",".join(row(f"t{i}", shape="[0]", offsets="[0,0]") for i in range(200000))
    yield Attack("200000 empty tensors", file("{" + many + "," + W + "}"), status=MISFIT)
    yield Attack("a name of 10 MB", file("{" + row("n" * (10 << 20)) + "}"), status=MISFIT | {"extract": 69})
    yield Attack("metadata of 10 MB", file('{"__metadata__":{"a":"' + "x" * (10 << 20) + '"},' + W + "}"), status=MISFIT)
    yield Attack("white space of 10 MB", file("{" + W + " " * (10 << 20) + "}"), status=MISFIT)
    yield Attack("metadata that steers the terminal", file(
        '{"__metadata__":{"\\u001b[2J":"\\u001b]0;x\\u0007\\u009b\\r"},' + W + "}"), status=MISFIT)
    yield Attack("a name that steers the terminal", file("{" + row("\\u001b[2J\\u009b31m") + "}"), status=MISFIT)
    yield Attack("a name with ../", file("{" + row("../../x") + "}"), status=MISFIT)
    yield Attack("top is a list", file("[" * 1000), status=69, says=("neither",))
    yield Attack("no tensors", file("{}", b""), status=69)
    yield Attack("only metadata", file('{"__metadata__":{}}', b""), status=69)
    for dtype in ("F99", "c64", "\\u001b[2J", "", "os.system"):
        yield Attack(f"elements of type {dtype}", file("{" + row(dtype=json.dumps(dtype).replace("\\\\", "\\")) + "}"),
                     status=69, says=("elements of type",))
