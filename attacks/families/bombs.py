"""Small pickles that unfold: memo bombs, nesting, cycles."""
from attack import CHECKPOINT, Attack
from formats.pickle_ops import integer, le, model, tensor, text, torch_zip

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 256
SIZES = {"inspect": 0, "convert": 78, "extract": 0}


def doubled(levels, fan=2):
    """A list of lists ...: each level holds the one before `fan` times."""
    body = b"]q\0"
    for level in range(levels):
        body += b"](" + b"h" + le(level, 1) + (b"h" + le(level, 1)) * (fan - 1) + b"eq" + le(level + 1, 1)
    return body


def with_args(value):
    return torch_zip(model(tensor(), text("args") + value))


def cyclic_dict():
    return b"}q\1" + text("a") + b"h\1s"


def attacks(sound):
    yield Attack("args of 2^64 lists", with_args(b"}" + text("a") + doubled(64) + b"s"))
    yield Attack("args of 10^9 lists", with_args(b"}" + text("lol") + doubled(9, 10) + b"s"))
    yield Attack("args that hold themselves", with_args(cyclic_dict()))
    yield Attack("args nested 100000 deep", with_args(b"}" + text("a") + b"]" * 100000 + b"a" * 99999 + b"s"))
    yield Attack("2^64 lists beside the model", torch_zip(model(tensor(), text("x") + doubled(64))), status=SIZES)
    yield Attack("lists nested a million deep", torch_zip(model(tensor(), text("x") + b"]" * 1000000 + b"a" * 999999)),
                 status=SIZES)
    yield Attack("tuples nested a million deep", torch_zip(model(tensor(), text("x") + b")" + b"\x85" * 1000000)),
                 status=SIZES)
    yield Attack("a model that holds itself", torch_zip(b"\x80\x02}q\0(" + text("model") + b"h\0u."), status=69)
    yield Attack("a list that holds itself", torch_zip(model(tensor(), text("x") + b"]q\1h\1a")), status=SIZES)
    yield Attack("five million values", torch_zip(model(tensor(), text("x") + b"](" + b"N" * 5000000 + b"e")), status=SIZES)
    yield Attack("five million marks", torch_zip(b"\x80\x02" + b"(" * 5000000 + b"."), says=())
    yield Attack("five million copies", torch_zip(b"\x80\x02N" + b"2" * 5000000 + b"."), says=())
    yield Attack("five million empty lists", torch_zip(b"\x80\x02" + b"]" * 5000000 + b"."), says=())
    yield Attack("three million remembered", torch_zip(b"\x80\x04N" + b"\x94" * 3000000 + b"."), says=("remembers",))
    yield Attack("memo at far places", torch_zip(model(b"".join(b"Nr" + le(i << 16, 4) + b"0" for i in range(60000))
                                                       + tensor())), status=SIZES)
    yield Attack("a tuple that grows: 2^30", torch_zip(
        model(b"Nq\1" + b"".join(b"(" + b"h\1" * 2 + b"tq\1" for _ in range(30)))))
    yield Attack("big integer of 16 MB", torch_zip(model(tensor(), text("x") + b"\x8b" + le(16 << 20, 4)
                                                         + b"\x7f" * (16 << 20))), status=SIZES)
    yield Attack("epoch of 16 MB", torch_zip(model(tensor(), text("epoch") + b"\x8b" + le(1 << 24, 4)
                                                   + b"\x7f" * (1 << 24))), status=SIZES)
    yield Attack("key of 1 MB in args", with_args(b"}" + text("k" * (1 << 20)) + integer(1) + b"s"))
    yield Attack("one long text, repeated", with_args(
        b"}(" + text("a") + text("x" * 100000) + b"q\2" + b"".join(text(str(i)) + b"h\2" for i in range(5000)) + b"u"))
