"""What attacks/costs.py searches in: generators of inputs, each with the numbers that it starts from."""
import json
import struct
from dataclasses import dataclass, field

from attack import CARD, DETECT, EXTRACT, INSPECT, READ_PICTURE, REFERENCE, Command
from costs_containers import container_spaces
from costs_pictures import more_pictures
from families import numpy as arrays
from families import tflite, yaml
from families.pictures import DATA, with_segment
from formats import pictures
from formats.jpeg import progressive
from formats.pickle_ops import integer, le, model, tensor, text, torch_zip
from formats.zip_file import Entry, build

PIXELS = ("--max-pixels", "50000000")  # as in the systemd unit of docs/security.md
CANDIDATES = Command("detect", ("detect", "{sound}/wide.tflite", "{photo}", "--candidates", "{file}"))


@dataclass(frozen=True, eq=False)
class Space:
    reader: str
    name: str
    command: tuple
    sound: str
    suffix: str
    make: object
    numbers: dict
    most: dict = field(default_factory=dict)


def tensors(n, name=8, axes=1):
    """`n` tensors of one storage with long names and many axes of size 1."""
    shape = (1,) * max(0, axes - 1) + (6,)
    rows = b"".join(text(str(i).rjust(name, "n")) + tensor(shape=shape, strides=(1,) * len(shape)) for i in range(n))
    return torch_zip(b"\x80\x02}" + text("model") + b"}(" + rows + b"us.")


def beside(values):
    return torch_zip(model(tensor(), text("x") + values))


def chain(depth, fan):
    """args of dicts in dicts: `fan` texts in each of `depth` levels, whose flat names grow."""
    leaves = b"".join(text(f"k{i}") + integer(i) for i in range(fan))
    body = b"}("
    for _ in range(depth):
        body += leaves + text("level") + b"}("
    return torch_zip(model(tensor(), text("args") + body + b"u" * (depth + 1)))


def sections(n, values):
    """`n` parts of the file that are the same list."""
    listed = text("a") + b"](" + b"N" * values + b"eq\1"
    return torch_zip(b"\x80\x02}(" + text("model") + b"}" + text("w") + tensor() + b"s" + listed
                     + b"".join(text(f"s{i}") + b"h\1" for i in range(n)) + b"u.")


def zip_entries(n, name):
    more = [Entry(str(i).rjust(name, "e").encode(), b"") for i in range(n)]
    return torch_zip(model(tensor()), more=more)


def safetensors(n, name=8, axes=1, metadata=0, value=1):
    rows = {"__metadata__": {f"m{i}": "v" * value for i in range(metadata)}} if metadata else {}
    rows |= {str(i).rjust(name, "n"): {"dtype": "F32", "shape": [1] * (axes - 1) + [0], "data_offsets": [0, 0]} for i in range(n)}
    raw = json.dumps(rows).encode()
    return struct.pack("<Q", len(raw)) + raw


def npz(n, header):
    array = arrays.npy(arrays.fields().rstrip("\n") + " " * header + "\n", version=2)
    images = arrays.npy(arrays.fields(shape="(1, 3, 64, 64)"), bytes(3 * 64 * 64 * 4))
    more = [Entry(f"a{i}.npy".encode(), b"") for i in range(n)]
    return build([Entry(b"images.npy", images), Entry(b"logits.npy", array)] + more)


def deep_card(depth, dims):
    network = yaml.NETWORK.replace("[1, 1, 1, 1]", f"[1, 1, {depth}, 1]").replace("[4, 4, 16", f"[4, 4, {dims}")
    return ("args: {nbits: 6, img_size_proc: 64}\n" + network).encode()


def long_card(keys, value):
    return deep_card(1, 16) + "".join(f"k{i}: {'x' * value}\n" for i in range(keys)).encode()


def yaml_args(levels, fan):
    return torch_zip(model(tensor(), text("args") + text(yaml.laughs(levels, fan))))


def yaml_keys(keys, value):
    return torch_zip(model(tensor(), text("args") + text("".join(f"k{i}: {'x' * value}\n" for i in range(keys)))))


def pickle_text(value):
    return torch_zip(model(tensor(), text("args") + b"}" + text("a") + text("\x1b" * value) + b"s"))


def text_png(n, size):
    data = pictures.deflated(size)
    return pictures.black_png(8, 8, before=pictures.chunk(b"zTXt", b"x\0\0" + data) * n)


def exif_jpeg(sound_jpeg, entries):
    body = struct.pack("<H", entries) + struct.pack("<HHII", 0x010E, 2, 60000, 8) * entries
    return with_segment(sound_jpeg, 0xE1, (b"Exif\0\0II*\0" + struct.pack("<I", 8) + body)[:65000])


def pth(title, make, numbers, command=INSPECT, **most):
    return [Space(title[0], f"{title[1]}, {c.name}", c.arguments, "small.pth", ".pth", make, numbers, most)
            for c in (command if isinstance(command, tuple) else (command,))]


def checkpoint_spaces():
    both = (INSPECT, EXTRACT)
    yield from pth(("checkpoint zip", "empty entries"), zip_entries, {"n": 16, "name": 8}, INSPECT, name=60000)
    yield from pth(("checkpoint pickle", "tensors"), tensors, {"n": 16, "name": 8, "axes": 1}, both, name=1000, axes=64)
    yield from pth(("checkpoint pickle", "values beside the model"), lambda n: beside(b"](" + b"N" * n + b"e"), {"n": 16})
    yield from pth(("checkpoint pickle", "empty lists"), lambda n: beside(b"](" + b"]" * n + b"e"), {"n": 16})
    yield from pth(("checkpoint pickle", "nested lists"), lambda n: beside(b"]" * n + b"a" * (n - 1)), {"n": 16})
    yield from pth(("checkpoint pickle", "memo"), lambda n, far: model_memo(n, far), {"n": 16, "far": 1}, far=1 << 16)
    yield from pth(("checkpoint pickle", "one list under many names"), sections, {"n": 4, "values": 16})
    yield from pth(("checkpoint pickle", "args in args"), chain, {"depth": 4, "fan": 4}, both)
    yield from pth(("checkpoint pickle", "one long text of args"), pickle_text, {"value": 16}, both)
    yield from pth(("checkpoint YAML", "laughs"), yaml_args, {"levels": 2, "fan": 2}, both)
    yield from pth(("checkpoint YAML", "keys"), yaml_keys, {"keys": 4, "value": 4}, both)


def model_memo(n, far):
    return torch_zip(model(b"".join(b"Nr" + le(i * far, 4) + b"0" for i in range(n)) + tensor()))


def other_spaces():
    for command in (INSPECT, EXTRACT):
        yield Space("safetensors", f"header, {command.name}", command.arguments, "small.safetensors", ".safetensors",
                    safetensors, {"n": 4, "name": 8, "axes": 1, "metadata": 1, "value": 1}, {"name": 1000, "axes": 64})
    yield Space("numpy", "entries and a long header", REFERENCE.arguments, "rgb.png", ".npz", npz, {"n": 4, "header": 4})
    yield Space("card YAML", "deep and wide", CARD.arguments, "small.yaml", ".yaml", deep_card, {"depth": 1, "dims": 16})
    yield Space("card YAML", "keys", CARD.arguments, "small.yaml", ".yaml", long_card, {"keys": 4, "value": 4})
    yield Space("card YAML", "laughs", CARD.arguments, "small.yaml", ".yaml",
                lambda levels, fan: deep_card(1, 16) + yaml.laughs(levels, fan).encode(), {"levels": 2, "fan": 2})
    for command in (INSPECT, DETECT):
        for name, make, numbers in (
                ("tensors with one name", lambda n, name: tflite.builder(tensors=n, name=b"\x1b" * name), {"n": 4, "name": 4}),
                ("operators with one list", lambda n, inputs: tflite.builder(operators=n, list_length=inputs),
                 {"n": 4, "inputs": 4}),
                ("metadata of one buffer", lambda n, size: tflite.builder(metadata=n, buffer=b"\x1b" * size),
                 {"n": 4, "size": 4}),
                ("buffers", lambda n: tflite.builder(buffers=n), {"n": 4})):
            yield Space("tflite", f"{name}, {command.name}", command.arguments, "detector.float32.tflite", ".tflite", make, numbers)
    for name, line in (("hexadecimal", "{:064x}\n"), ("ids", "id:{}\n"), ("texts", "text:\"a{}\"\n"), ("labels", "{:064x} label\n"),
                       ("comments", "#\n"), ("empty lines", "\n")):
        yield Space("candidates", name, CANDIDATES.arguments, "list.txt", ".txt",
                    lambda n, line=line: "".join(line.format(i) for i in range(n)).encode() + b"00" * 32 + b"\n", {"n": 16})


def picture_spaces():
    """Reading them; what `embed` does then follows from the picture's size alone."""
    jpeg = (DATA / "rgb.jpg").read_bytes()
    size = {"width": 64, "height": 64}

    def space(reader, name, suffix, make, numbers, **most):
        return Space(reader, name, READ_PICTURE.arguments + PIXELS, "rgb.png", suffix, make, numbers, most)

    def png(depth, colour):
        return lambda width, height, interlace: pictures.black_png(width, height, depth, colour, interlace - 1)
    yield space("JPEG", "scans", ".jpg", progressive, size | {"scans": 3, "components": 1}, width=65500, height=65500,
                components=3)
    yield space("JPEG", "EXIF fields", ".jpg", lambda n: exif_jpeg(jpeg, n), {"n": 4}, n=5000)
    yield space("PNG", "black, 1 bit", ".png", png(1, 0), size | {"interlace": 1}, width=1 << 20, height=1 << 20, interlace=2)
    yield space("PNG", "black, 16-bit RGBA", ".png", png(16, 6), size | {"interlace": 1}, width=1 << 15, height=1 << 15,
                interlace=2)
    yield space("PNG", "texts", ".png", text_png, {"n": 1, "size": 1024}, size=1 << 27)
    yield space("WebP", "black", ".webp", pictures.black_webp, size, width=16383, height=16383)
    yield space("TIFF", "black strips", ".tif", pictures.black_tiff, size | {"samples": 1, "rows": 16}, width=1 << 20,
                height=1 << 20, samples=8)
    yield space("TIFF", "black tiles", ".tif", pictures.black_tiff, size | {"samples": 1, "tile": 256}, width=1 << 20,
                height=1 << 20, samples=8, tile=8192)
    yield from more_pictures(space, size)


def container(reader, title, make, numbers, commands, /, suffix=".pth", sound="small.pth", **most):
    for command in commands:
        yield Space(reader, f"{title}, {command.name}", command.arguments, sound, suffix, make, numbers, most)


def spaces():
    yield from checkpoint_spaces()
    yield from container_spaces(container)
    yield from other_spaces()
    yield from picture_spaces()
