"""TorchScript archives: modules that hold each other without end, and code that nobody looks at."""
from attack import CHECKPOINT, MARKER, Attack
from families.opaque import IGNORED, TOUCH
from formats.pickle_ops import tensor, text
from formats.zip_file import Entry, build

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 128


def module(attributes, name="M"):
    return b"c__torch__\n" + name.encode() + b"\n)\x81}(" + attributes + b"ub"


def archive(root, code=b"import os\nos.system('touch " + MARKER.encode() + b"')", more=()):
    return build([Entry(b"t/data.pkl", b"\x80\x02" + root + b"."), Entry(b"t/code/__torch__.py", code),
                  Entry(b"t/constants.pkl", b"\x80\x02cos\nsystem\n" + TOUCH + b"\x85R."), Entry(b"t/data/0", b"\1" * 24), *more])


def doubled(levels):
    body = module(text("w") + tensor()) + b"q\1"
    for _ in range(levels):
        body += b"0" + module(text("a") + b"h\1" + text("b") + b"h\1") + b"q\1"
    return body


def attacks(sound):
    good = module(text("w") + tensor())
    yield Attack("code that runs a program", archive(good), status=IGNORED)
    yield Attack("code of a mebibyte that is none", archive(good, bytes(1 << 20)), status=IGNORED)
    yield Attack("debug pickles", archive(good, more=[Entry(b"t/code/__torch__.py.debug_pkl", b"\x80\x02cos\nsystem\n.")]),
                 status=IGNORED)
    yield Attack("a module that is its own attribute", archive(b"c__torch__\nM\n)\x81q\1}(" + text("a") + b"h\1ub"),
                 says=("without end",))
    for levels in (18, 30, 60, 200):
        yield Attack(f"2^{levels} modules", archive(doubled(levels)), says=("without end",))
    chain = good
    for _ in range(600):
        chain = module(text("a") + chain)
    yield Attack("names of 600 words, too long", archive(chain), says=("without end",))
    yield Attack("an attribute of a megabyte", archive(module(text("w" * (1 << 20)) + tensor())), says=("without end",))
    yield Attack("an attribute that steers the terminal", archive(module(text("\x1b[2J\x9b\u202e") + tensor())), status=IGNORED)
    yield Attack("attributes that are numbers", archive(module(b"K\1" + tensor())), status=69, says=("no tensors",))
    yield Attack("a state that is a list", archive(b"c__torch__\nM\n)\x81]b"), status=69, says=("no tensors",))
    yield Attack("no state", archive(b"c__torch__\nM\n)\x81"), status=69, says=("no tensors",))
    yield Attack("a class that runs a program", archive(b"cos\nsystem\n" + TOUCH + b"\x85R"), says=("os.system",))
    yield Attack("an attribute that runs a program", archive(module(text("w") + tensor() + text("x") + b"cos\nsystem\n" + TOUCH
                                                                    + b"\x85R")), says=("os.system",))
    yield Attack("one attribute twice", archive(module((text("w") + tensor()) * 2)), says=("twice",))
    yield Attack("a million attributes", archive(module(b"".join(text(f"{i}") + b"N" for i in range(700000)) + text("w") + tensor())),
                 status=IGNORED)
