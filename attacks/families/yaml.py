"""YAML that unfolds or lies: billion laughs in a checkpoint's args, and model cards."""
from attack import CARD, CHECKPOINT, Attack
from formats.pickle_ops import model, tensor, text, torch_zip

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 256
MISFIT = {"inspect": 0, "convert": 78, "extract": 0}
NETWORK = """extractor: {model: convnext_tiny, params: {encoder: {depths: [1, 1, 1, 1], dims: [4, 4, 16, 32]}}}
"""


def laughs(levels=9, fan=10):
    lines = ["a0: &a0 lol"]
    for i in range(1, levels + 1):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * fan)}]")
    return "\n".join(lines) + "\n"


BOMBS = [
    ("billion laughs", laughs()),
    ("2^64 laughs", laughs(64, 2)),
    ("a map of laughs", laughs().replace("[", "{x: [").replace("]", "]}")),
    ("quadratic: one long text, many aliases", "a: &a " + "x" * 100000 + "\nb: [" + ", ".join(["*a"] * 50000) + "]\n"),
    ("an alias to itself", "a: &a [*a]\n"),
    ("a merge key that loops", "a: &a\n  <<: *a\n"),
    ("lists nested 100000 deep", "a: " + "[" * 100000 + "]" * 100000),
    ("maps nested 100000 deep", "a: " + "{a: " * 100000 + "}" * 100000),
    ("blocks nested 2000 deep", "".join(" " * i + "a:\n" for i in range(1400))),
    ("sequences nested 100000 deep", "- " * 100000),
    ("a key of 1 MB", "?" + " k" * 500000 + "\n: 1\n"),
    ("a million keys", "".join(f"k{i}: 1\n" for i in range(100000))),
    ("2 MB of text", "a: " + "x" * (2 << 20)),
    ("an unknown alias", "a: *nobody\n"),
    ("a Python object", "a: !!python/object/apply:os.system ['touch x']\n"),
    ("a tag bomb", "a: !<" + "x" * 100000 + "> 1\n"),
    ("anchors without an end", "a: " + "&a " * 100000),
    ("quotes without an end", 'a: "' + "x" * 100000),
    ("escapes that steer the terminal", 'a: "\\e[2J\\x9b31m\\a"\n'),
    ("a NUL", "a: \0\n"),
    ("broken UTF-8", "a: \udcff\udcfe\n"),
    ("UTF-16", "\ufeffa\0:\0 \0001\0"),
    ("a complex key", "? [a, b]\n: 1\n"),
    ("twice the same key", "nbits: 6\nnbits: 7\n"),
    ("many documents", "--- 1\n" * 100000),
    ("tabs", "a:\n\t- b\n"),
    ("percent directives", "%YAML 9.9\n" * 10000 + "---\na: 1\n"),
    ("!!binary", "a: !!binary |\n  " + "A" * 100000 + "\n"),
]
# Sound as text; a text of args is shown and kept, and never more than that.
HARMLESS = {"a Python object": MISFIT, "escapes that steer the terminal": MISFIT, "twice the same key": MISFIT,
            "!!binary": MISFIT, "a tag bomb": MISFIT}

# name, card, status, words
CARDS = [
    ("bits of 2^31", "args: {nbits: 2147483648, img_size_proc: 64}\n" + NETWORK, 65, ("nbits",)),
    ("bits of 2^63", "args: {nbits: 9223372036854775808, img_size_proc: 64}\n" + NETWORK, 65, ("nbits",)),
    ("bits of -1", "args: {nbits: -1, img_size_proc: 64}\n" + NETWORK, 65, ("nbits",)),
    ("bits of 0", "args: {nbits: 0, img_size_proc: 64}\n" + NETWORK, 65, ("nbits",)),
    ("bits are a list", "args: {nbits: [6], img_size_proc: 64}\n" + NETWORK, 65, ("nbits",)),
    ("size of 2^31", "args: {nbits: 6, img_size_proc: 2147483648}\n" + NETWORK, 65, ()),
    ("size of 0", "args: {nbits: 6, img_size_proc: 0}\n" + NETWORK, 65, ()),
    ("depths of 2^30", "args: {nbits: 6, img_size_proc: 64}\n" + NETWORK.replace("[1, 1, 1, 1]", "[1073741824, 1, 1, 1]"),
     65, ()),
    # 99 bytes took 2.9 GB: each block was planned before it was looked for.
    ("depths of 2^20", "args: {nbits: 6, img_size_proc: 64}\n" + NETWORK.replace("[1, 1, 1, 1]", "[1, 1, 1048576, 1]"),
     65, ("depths",)),
    ("64 depths of 4096", "args: {nbits: 6, img_size_proc: 64}\n" + NETWORK.replace(
        "[1, 1, 1, 1]", str([4096] * 64)).replace("[4, 4, 16, 32]", str([4] * 64)), 65, ("depths",)),
    ("blocks of 2^20", "args: {nbits: 6, img_size_proc: 64}\nembedder: {model: unet_x, params: {unet: {num_blocks: 1048576}}}\n"
     + NETWORK, 65, ("num_blocks",)),
    ("a million stages", "args: {nbits: 6, img_size_proc: 64}\n" + NETWORK.replace(
        "[1, 1, 1, 1]", "[" + "1, " * 1000000 + "1]"), 65, ()),
    ("dims of 2^40", "args: {nbits: 6, img_size_proc: 64}\n" + NETWORK.replace("[4, 4,", "[1099511627776, 4,"), 65, ()),
    ("negative dims", "args: {nbits: 6, img_size_proc: 64}\n" + NETWORK.replace("[4, 4,", "[-4, 4,"), 65, ()),
    ("another checkpoint", "checkpoint_path: ../../../etc/passwd\nargs: {nbits: 6, img_size_proc: 64}\n" + NETWORK, 0, ()),
    ("a scalar", "42\n", 65, ()),
    ("nothing", "", 65, ()),
    ("a list", "[1, 2]\n", 65, ()),
    ("a network that steers the terminal", 'args: {nbits: 6}\nextractor: {model: "\\e[2J\\x9b"}\n', 69, ()),
]


def encoded(yaml):
    return yaml.encode("utf-8", "surrogateescape")


def attacks(sound):
    for name, yaml in BOMBS:
        data = encoded(yaml)
        yield Attack(f"args: {name}", torch_zip(model(tensor(), text("args") + text(data))),
                     status=HARMLESS.get(name, 65))
        yield Attack(f"card: {name}", data, commands=(CARD,), suffix=".yaml")
        yield Attack(f"card: a network and {name}", b"args: {nbits: 6, img_size_proc: 64}\n" + encoded(NETWORK) + b"zz:\n"
                     + b"".join(b"  " + line + b"\n" for line in data.split(b"\n")), status=None, commands=(CARD,), suffix=".yaml")
    for name, yaml, status, says in CARDS:
        yield Attack(f"card: {name}", encoded(yaml), status=status, says=says, commands=(CARD,), suffix=".yaml")
