"""Objects that Sealite makes nothing of: names that are called in Python, chains of calls, states, and what else a
pickle can do with a value that has no kind. Beside the weights they are kept as names, and nothing happens."""
from attack import CHECKPOINT, MARKER, Attack
from formats.pickle_ops import integer, le, model, tensor, text, torch_zip

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 256
TOUCH = text("touch " + MARKER)
# The archive is sound, only its w is no network.
IGNORED = {"inspect": 0, "convert": 78, "extract": 0}

# module, name, argument: no reader's business, and nothing that is refused by name
GLOBALS = [("torch._utils", "_rebuild_tensor_v2.__globals__", TOUCH), ("torch", "_utils.__builtins__", TOUCH),
           ("numpy.core.multiarray", "scalar", TOUCH), ("functools", "partial", TOUCH), ("operator", "attrgetter", TOUCH),
           ("codecs", "decode", TOUCH), ("collections", "OrderedDict.__init_subclass__", TOUCH),
           ("copyreg", "_reconstructor", TOUCH), ("Torch", "FloatStorage", TOUCH), ("pathlib", "PosixPath", TOUCH),
           ("__main__", "Config", TOUCH), ("my.pack_age.os", "system", TOUCH), ("torch.classes", "x", TOUCH),
           ("__torch__", "Root", TOUCH), ("omegaconf.dictconfig", "DictConfig", TOUCH), ("x" * 500, "y", TOUCH)]


def opaque(module="a", name="B"):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def made(state=b"", more=b""):
    return opaque() + b")\x81" + more + (state + b"b" if state else b"")


OBJECTS = [
    ("a call of a call, a thousand times", opaque() + b")R" * 1000),
    ("a state that is a number", made(integer(1))),
    ("a state that is itself", opaque() + b")\x81q\1h\1b"),
    ("a thousand states", made() + b"}b" * 1000),
    ("a state of two", made(b"}}\x86")),
    ("__setstate__, __reduce__ and __class__ as attributes", made(b"}(" + b"".join(
        text(f"__{w}__") + TOUCH for w in ("setstate", "reduce", "class", "dict", "init")) + b"u")),
    ("a list and a dict at once", made(more=b"Na" + b"NNs" + b"(NNe" + b"(NNu")),
    ("named arguments", opaque() + b")}" + text("shell") + b"\x88s\x92"),
    ("named arguments that are a list", opaque() + b")]\x92"),
    ("made of a mark", b"(" + TOUCH + b"ia\nB\n"),
    ("nested twenty thousand deep", opaque() + b")R" + b"".join(b"q\1" + b"0" + opaque() + b"h\1\x85R" for _ in range(20000))),
    ("fifty thousand names", b"](" + b"".join(opaque("m", f"n{i}") for i in range(50000)) + b"e"),
    ("an odd dict with a state", made(b"}", b"(NNNe")),
    ("an old tensor of nothing", b"ctorch\nFloatTensor\n)\x81(NNNNtb"),
    ("an old tensor that lies", b"ctorch\nFloatTensor\n)\x81(NK\0))tb"),
    ("numpy's scalar of too many bytes", b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n" + text("f8") + b"\x85R"
     + b"C\x09" + bytes(9) + b"tR"),
    ("bytes of letters above 255", b"c_codecs\nencode\n(" + text("\u20ac") + text("latin1") + b"tR"),
    ("bytes in another encoding", b"c_codecs\nencode\n(" + text("x") + text("rot13") + b"tR"),
    ("a type inside a type", b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nN)NtR"),
]
# Those of them that no Python makes.
REFUSED = {"named arguments that are a list": ("named",),
           "bytes of letters above 255": ("above 255",), "bytes in another encoding": ("encoding",),
           "a type inside a type": ("inside another",)}


def attacks(sound):
    for module, name, argument in GLOBALS:
        call = opaque(module, name) + argument + b"\x85R"
        yield Attack(f"{module[:40]}.{name} beside the weights", torch_zip(model(tensor(), text("x") + call)), status=IGNORED)
        yield Attack(f"{module[:40]}.{name} as the weights", torch_zip(model(call)), status=69)
        yield Attack(f"{module[:40]}.{name} as the file", torch_zip(b"\x80\x02" + call + b"."), status=69)
        yield Attack(f"{module[:40]}.{name} as args", torch_zip(model(tensor(), text("args") + call)), status=IGNORED)
    for name, value in OBJECTS:
        status, says = (65, REFUSED[name]) if name in REFUSED else (IGNORED, ())
        yield Attack(name, torch_zip(model(tensor(), text("x") + value)), status=status, says=says)
        yield Attack(f"{name}, in args", torch_zip(model(tensor(), text("args") + b"}" + text("x") + value + b"s")),
                     status=status, says=says)
    knot = b"comegaconf.nodes\nAnyNode\n)\x81q\1}" + text("_val") + b"h\1sb"
    yield Attack("a configuration that is its own value", torch_zip(model(tensor(), text("args") + b"}" + text("a") + knot
                                                                       + b"s")), status=IGNORED)
    # 4,000 nodes whose content is the same list of 4,000: 16 million values if each had a copy.
    shared = b"](" + b"K\1" * 4000 + b"eq\1" + b"0"
    nodes = b"".join(text(str(i)) + b"comegaconf.listconfig\nListConfig\n)\x81}" + text("_content") + b"h\1sb"
                     for i in range(4000))
    yield Attack("a configuration that shares its content", torch_zip(b"\x80\x02" + shared + model(
        tensor(), text("args") + b"}(" + nodes + b"u")[2:]), says=("args",))
    name = "\u202e"
    yield Attack("a class's name that turns the line round", torch_zip(model(tensor(), text("x") + opaque(name, "b"))),
                 says=("refused",))
    yield Attack("a class's name with spaces", torch_zip(model(tensor(), text("x") + opaque("a b", "c"))), says=("refused",))
    yield Attack("ext registry beside the weights", torch_zip(model(tensor(), text("x") + b"\x82\1")), says=("opcode",))
    yield Attack("a mebibyte of calls", torch_zip(model(tensor(), text("x") + opaque() + (b")R") * (1 << 19))), status=IGNORED)
    yield Attack("states of a shared long list", torch_zip(model(tensor(), text("x") + b"](" + b"N" * 20000 + b"eq\1"
                 + opaque() + b")\x81" + b"h\1b" * 20000)), says=("grows",))
    yield Attack("long4 as an argument", torch_zip(model(tensor(), text("x") + opaque() + b"\x8b" + le(1 << 20, 4)
                                                         + b"\x7f" * (1 << 20) + b"\x85R")), status=IGNORED)
