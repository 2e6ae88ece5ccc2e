"""Shapes, strides, offsets and storages that a file cannot have."""
from attack import CHECKPOINT, Attack
from formats.pickle_ops import integer, model, tensor, text, torch_zip

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 64
MISFIT = {"inspect": 0, "convert": 78, "extract": 0}

# name, what is wrong with the tensor, words
TENSORS = [
    ("huge shape", dict(shape=(1 << 40, 1 << 20), strides=(1 << 20, 1)), ("tensor 'w'",)),
    ("shape of 2^63 - 1", dict(shape=((1 << 63) - 1,), strides=(1,)), ("tensor 'w'",)),
    ("shape product overflows to 0", dict(shape=(1 << 32, 1 << 32), strides=(1, 1)), ("tensor 'w'",)),
    ("shape product overflows to 4", dict(shape=((1 << 62) + 1, 4), strides=(0, 0)), ("tensor 'w'",)),
    ("stride product overflows", dict(shape=(2, 3), strides=(1 << 62, 1 << 62)), ("tensor 'w'",)),
    ("stride product overflows to a small one", dict(shape=(5, 3), strides=(1 << 62, 1)), ("tensor 'w'",)),
    ("negative strides", dict(strides=(-3, -1)), ("tensor 'w'",)),
    ("one negative stride", dict(strides=(3, -1), offset=2), ("tensor 'w'",)),
    ("smallest stride", dict(strides=(3, -(1 << 63))), ("tensor 'w'",)),
    ("negative shape", dict(shape=(-2, -3)), ("tensor 'w'",)),
    ("negative offset", dict(offset=-1), ("tensor 'w'",)),
    ("smallest offset", dict(offset=-(1 << 63)), ("tensor 'w'",)),
    ("offset behind the storage", dict(offset=1), ("tensor 'w'",)),
    ("offset of 2^63 - 1", dict(offset=(1 << 63) - 1), ("tensor 'w'",)),
    ("more strides than sizes", dict(strides=(3, 1, 1)), ()),
    ("fewer strides than sizes", dict(strides=(3,)), ()),
    ("ten thousand axes", dict(shape=(1,) * 10000, strides=(1,) * 10000), ()),
    ("more elements than the storage says", dict(elements=7), ("its storage '0'",)),
    ("elements of 2^62", dict(elements=1 << 62), ("its storage '0'",)),
    ("elements of -1", dict(elements=-1), ()),
    ("wider elements than the storage has", dict(storage_type=b"ctorch\nDoubleStorage\n"), ("its storage '0'",)),
    ("storage that is not there", dict(key="17"), ("'17'",)),
    ("storage ../../etc/passwd", dict(key="../../etc/passwd"), ("is not in the file",)),
    ("storage /etc/passwd", dict(key="/etc/passwd"), ("is not in the file",)),
    ("storage ..", dict(key="../data.pkl"), ("is not in the file",)),
    ("storage with a NUL", dict(key="0\0"), ("is not in the file",)),
    ("storage that steers the terminal", dict(key="\x1b[2J\x9b31m\r"), ("is not in the file",)),
    ("storage of an empty name", dict(key=""), ("is not in the file",)),
]


def attacks(sound):
    for name, changes, says in TENSORS:
        yield Attack(name, torch_zip(model(tensor(**changes))), says=says)
    yield Attack("shape repeated by strides of 0", torch_zip(model(tensor(shape=(1 << 20, 1 << 20), strides=(0, 0)))),
                 status={"inspect": 0, "convert": 78, "extract": 69})
    yield Attack("a type that is not read", torch_zip(model(tensor(storage_type=b"ctorch\nComplexFloatStorage\n",
                                                                   elements=3, shape=(3,), strides=(1,)))), status=69)
    yield Attack("no elements", torch_zip(model(tensor(shape=(0, 1 << 62), strides=(1, 1)))), status=MISFIT)
    many = b"".join(text(f"t{i}") + tensor() for i in range(20000))
    yield Attack("twenty thousand tensors of one storage", torch_zip(
        b"\x80\x02}" + text("model") + b"}(" + many + b"us."), status=MISFIT)
    yield Attack("a name that steers the terminal", torch_zip(
        b"\x80\x02}" + text("model") + b"}" + text("\x1b]0;x\x07\x1b[2J\x9b\r\n\u202ew") + tensor() + b"ss."),
        status=MISFIT)
    yield Attack("a section's name that steers the terminal", torch_zip(
        model(tensor(), text("\x1b[2J\x07\u0085") + integer(1))), status=MISFIT)
    yield Attack("a text of args that steers the terminal", torch_zip(
        model(tensor(), text("args") + b"}" + text("\x1b[31m") + text("\x1b[2J\x9bm\r") + b"s")), status=MISFIT)
    yield Attack("a name with ../", torch_zip(
        b"\x80\x02}" + text("model") + b"}" + text("../../../tmp/x") + tensor() + b"ss."), status=MISFIT)
    yield Attack("no names", torch_zip(b"\x80\x02}" + text("model") + b"}" + integer(1) + tensor() + b"ss."))
