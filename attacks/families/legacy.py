"""Files of torch before 1.6: pickles and storages that lie about each other."""
from attack import CHECKPOINT, Attack
from families.opaque import IGNORED, TOUCH
from formats.pickle_ops import integer, le, model, tensor, text

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 128
MAGIC = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
VERSION = b"\x80\x02M" + le(1001, 2) + b"."
SYSTEM = b"\x80\x02}" + text("little_endian") + b"\x88s."
GOOD = model(tensor())
WEIGHTS = b"\1" * 24
OS_SYSTEM = b"\x80\x02cos\nsystem\n" + TOUCH + b"\x85R."


def keys(*names):
    return b"\x80\x02](" + b"".join(text(name) for name in names) + b"e."


def storage(contents=WEIGHTS, elements=6):
    return le(elements, 8) + contents


def legacy(version=VERSION, system=SYSTEM, pickle=GOOD, names=keys("0"), storages=storage(), magic=MAGIC):
    return magic + version + system + pickle + names + storages


FILES = [
    ("another version", dict(version=b"\x80\x02M" + le(1002, 2) + b"."), 69, ("version",)),
    ("a version that runs a program", dict(version=OS_SYSTEM), 65, ("os.system",)),
    ("a system that runs a program", dict(system=OS_SYSTEM), 65, ("os.system",)),
    ("a checkpoint that runs a program", dict(pickle=OS_SYSTEM), 65, ("os.system",)),
    ("keys that run a program", dict(names=OS_SYSTEM), 65, ("os.system",)),
    ("a source file to run", dict(pickle=model(tensor(), text("x") + b"(" + text("module") + b"ca\nB\n" + text("/etc/passwd")
                                               + text("import os") + b"tQ")), IGNORED, ()),
    ("big-endian", dict(system=b"\x80\x02}" + text("little_endian") + b"\x89s."), 69, ("big-endian",)),
    ("no system", dict(system=b"\x80\x02N."), 65, ("order",)),
    ("no keys", dict(names=keys(), storages=b""), 65, ("not in the file",)),
    ("keys that are no list", dict(names=b"\x80\x02}."), 65, ("no list",)),
    ("keys that are numbers", dict(names=b"\x80\x02](K\0e."), 65, ("no text",)),
    ("a key twice", dict(names=keys("0", "0"), storages=storage() * 2), 65, ("twice",)),
    ("a key of no tensor", dict(names=keys("../../etc/passwd")), 65, ("of no tensor",)),
    ("a million keys", dict(names=b"\x80\x02](" + text("k") * 1000000 + b"e."), 65, ("of no tensor",)),
    ("2^63 elements", dict(storages=storage(elements=1 << 63)), 65, ("that follow",)),
    ("2^64 - 1 elements", dict(storages=storage(elements=-1)), 65, ("that follow",)),
    ("2^62 elements, so that their bytes overflow to 0", dict(storages=storage(elements=1 << 62)), 65, ("that follow",)),
    ("elements that the checkpoint does not say", dict(storages=storage(elements=5)), 65, ("expected",)),
    ("no storages", dict(storages=b""), 65, ("ends early",)),
    ("half a count", dict(storages=b"\6\0\0"), 65, ("ends early",)),
    ("bytes behind it", dict(storages=storage() + b"\n"), IGNORED, ()),
    ("magic of protocol 5 and frames", dict(magic=b"\x80\x05\x95" + le(13, 8) + MAGIC[2:]), IGNORED, ()),
    ("magic of protocol 0", dict(magic=b"L119547037146038801333356L\n."), IGNORED, ()),
    ("magic alone", dict(version=b"", system=b"", pickle=b"", names=b"", storages=b""), 65, ("ends early",)),
    ("magic inside a call", dict(magic=b"\x80\x02cos\nsystem\n" + MAGIC[2:-1] + b"\x85R."), 65, ("os.system",)),
]


def part(begin, length):
    """A tensor of a storage that is a part of another."""
    row = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + integer(6) + b"(" + text("v") \
        + integer(begin) + integer(length) + b"ttQ"
    return model(b"ctorch._utils\n_rebuild_tensor\n(" + row + b"K\0K\2\x85K\1\x85tR")


def attacks(sound):
    for name, changes, status, says in FILES:
        yield Attack(name, legacy(**changes), status=status, says=says)
    for begin, length in ((5, 2), (7, 0), (-1, 2), (0, -2), ((1 << 63) - 1, 2), (2, (1 << 63) - 1)):
        yield Attack(f"elements {begin} + {length} of six", legacy(pickle=part(begin, length)))
    yield Attack("two elements of six", legacy(pickle=part(4, 2)), status=IGNORED)
    yield Attack("a part of one element for a tensor of two", legacy(pickle=part(4, 1)), says=("its storage has 1",))
    deep = b"](" + b"N" * 3000000 + b"e"
    yield Attack("keys of three million values", legacy(names=b"\x80\x02" + deep + b"."), says=())
