"""containers_test.py SEALITE WORK: checkpoints as people have them, made by torch, safetensors and Python themselves
from the demo model. What Sealite makes of each is compared, byte for byte, with what it makes of the plain file."""

import argparse
import collections
import datetime
import fractions
import io
import json
import pathlib
import pickle
import subprocess
import sys
import tarfile
import warnings
import zipfile

import numpy
import torch
from safetensors.torch import save_file, save_model

warnings.simplefilter("ignore")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CARD = ROOT / "assets/demo.card.yaml"


class Row:
    """One file: how it is made, and what is to become of it."""

    def __init__(self, name, make, status=0, says=(), card=True, options=(), same=True, warns=()):
        self.name, self.make, self.status, self.says = name, make, status, says
        self.card, self.options, self.same, self.warns = card, options, same, warns


def run(sealite, *arguments):
    return subprocess.run([sealite, *map(str, arguments)], capture_output=True, text=True)


class Attributed(torch.nn.Module):
    def forward(self, x):
        return x


def module_of(state):
    """A module with these parameters and buffers, those that share memory still do."""
    root, seen = Attributed(), {}
    for name, value in state.items():
        *parents, leaf = name.split(".")
        module = root
        for word in parents:
            if not hasattr(module, word):
                module.add_module(word, Attributed())
            module = getattr(module, word)
        if value.is_floating_point() and not leaf.startswith("running"):
            key = (value.data_ptr(), value.shape)
            parameter = seen.setdefault(key, torch.nn.Parameter(value.clone(), requires_grad=False))
            module.register_parameter(leaf, parameter)
        else:
            module.register_buffer(leaf, value.clone())
    return root


class Named:
    """Written as a name of seven letters, in whose place another is put."""


def listed_names(path, state):
    """Every name that torch's safe loader knows, beside the weights; it reads the file itself."""
    names = sorted(torch._weights_only_unpickler._get_allowed_globals())
    assert len(names) > 100, names
    globals_ = b"".join(b"c" + module.encode() + b"\n" + name.encode() + b"\n"
                        for module, _, name in (full.rpartition(".") for full in names))
    stream = io.BytesIO()
    torch.save({"x": [Named], "model": state}, stream)
    mark = f"c{Named.__module__}\nNamed\n".encode()
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith("/data.pkl"):
                at = data.index(mark)
                end = data.index(b"a", data.index(b"q", at + len(mark)))  # what remembers it, and APPEND
                data = data[:at] + b"(" + globals_ + b"e" + data[end + 1:]
            target.writestr(entry.filename, data)
    assert len(torch.load(path, weights_only=True)["x"]) == len(names)


class Called:
    """Written as a call of a function, with these arguments."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def zipped(path, data, **changes):
    """The same zip with other compression."""
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(path, "w", **changes) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))


def torch_rows(state, args):
    """What torch.load(weights_only=True) reads, and what torch.save and torch.jit.save write besides."""
    def save(model=state, legacy=False, protocol=2, args=args, **extra):
        return lambda path: torch.save({"model": model, "args": args, **extra}, path, pickle_protocol=protocol,
                                       _use_new_zipfile_serialization=not legacy)

    def changed(change, wanted=lambda value: value.is_floating_point()):
        return {name: change(value) if wanted(value) else value for name, value in state.items()}

    def with_attribute(value):
        parameter = torch.nn.Parameter(value.clone(), requires_grad=False)
        parameter.note = "x"
        return parameter

    extras = {
        "bytes": b"abc\0\xff", "bytearray": bytearray(b"abc"), "set": {1, 2}, "complex": 1 + 2j, "size": torch.Size([1, 2]),
        "device": torch.device("cpu"), "dtype": torch.float8_e5m2, "counter": collections.Counter("aab"),
        "ordered": collections.OrderedDict(a=1), "nested": {"a": [None, True, 0.5, 1 << 80, -3, (1, "ä")]},
        "sparse": torch.eye(4).to_sparse(), "csr": torch.eye(4).to_sparse_csr(), "complex64": torch.ones(2, dtype=torch.complex64),
        "conjugated": torch.ones(2, dtype=torch.complex64).conj(), "negative": torch.ones(2, dtype=torch.complex64).conj().imag,
        "quantised": torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8),
        "channels": torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.quint8),
        "float8": torch.ones(4).to(torch.float8_e4m3fn), "bits16": torch.ones(2, dtype=torch.uint16), "meta": torch.ones(2, device="meta"),
        "half": torch.ones(2, dtype=torch.float16), "bool": torch.ones(2, dtype=torch.bool), "int16": torch.ones(2, dtype=torch.int16),
        "rng": torch.get_rng_state(), "parameter": torch.nn.Parameter(torch.ones(2)), "layout": torch.strided,
        "version": torch.__version__, "nested_tensor": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        "storage": torch.ones(3).untyped_storage(), "expanded": torch.ones(1).expand(1 << 20),
        "scheme": torch.per_channel_affine, "parameters": torch.nn.ParameterDict({"a": torch.nn.Parameter(torch.ones(2))}),
    }
    python = {
        "numpy_scalar": numpy.float64(0.9), "numpy_array": numpy.ones((2, 3)), "numpy_rng": numpy.random.get_state(),
        "generator": numpy.random.default_rng(1), "path": pathlib.PosixPath("data/\udcff"), "date": datetime.datetime(2024, 1, 2),
        "timedelta": datetime.timedelta(1), "fraction": fractions.Fraction(1, 3), "namespace": argparse.Namespace(a=1),
        "slice": slice(1, 2), "range": range(3), "frozenset": frozenset({1}), "class": torch.nn.Linear,
        "module": torch.nn.Linear(2, 2), "optimizer": torch.optim.AdamW([torch.nn.Parameter(torch.ones(2))]),
        "generator_state": torch.Generator(), "default": collections.defaultdict(list, a=[1]), "deque": collections.deque([1]),
    }
    rows = [Row("plain", save())]
    rows += [Row(f"beside: {name}", save(**{name: value})) for name, value in {**extras, **python}.items()]
    rows += [Row(f"legacy, beside: {name}", save(legacy=True, **{name: extras[name]}))
             for name in ("bytes", "sparse", "complex64", "quantised", "rng", "expanded", "parameters")]
    rows += [Row(f"protocol {p}", save(protocol=p, flag=True, real=0.5, big=1 << 70, text="a'b\n\\ ä €")) for p in (0, 1, 3, 4, 5)]
    rows += [Row(f"legacy, protocol {p}", save(legacy=True, protocol=p)) for p in (0, 1, 2, 3, 4, 5)]
    utils = torch._utils
    made = {
        "_rebuild_tensor": Called(utils._rebuild_tensor, torch.ones(3).storage(), 0, (3,), (1,)),
        "_rebuild_device_tensor_from_numpy": Called(utils._rebuild_device_tensor_from_numpy, numpy.ones(2), torch.float32, "cpu", False),
        "_rebuild_wrapper_subclass": Called(utils._rebuild_wrapper_subclass, torch.Tensor, torch.float32, (2,), (1,), 0, torch.strided,
                                            torch.device("cpu"), False),
        "storage of floats": torch.ones(3).storage(), "uint7": torch.uint7, "int3": torch.int3, "complex type": torch.complex32,
        "channels, floating": torch.per_channel_affine_float_qparams, "tensor class": torch.FloatTensor,
        "csc": torch.eye(4).to_sparse_csc(), "bsr": torch.eye(4).to_sparse_bsr((2, 2)), "bsc": torch.eye(4).to_sparse_bsc((2, 2)),
        "qint32": torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint32), "float8_e8m0fnu": torch.ones(4).to(torch.float8_e8m0fnu),
        "uint64": torch.ones(2, dtype=torch.uint64), "complex32": torch.ones(2, dtype=torch.complex32),
    }
    rows += [Row(f"beside: {name}", save(**{name: value})) for name, value in made.items()]
    rows += [
        Row("every name that the safe loader knows", lambda path: listed_names(path, state)),
        Row("weights of a TPU", save(changed(lambda value: Called(utils._rebuild_device_tensor_from_cpu_tensor, value, value.dtype,
                                                                  "xla:0", False)))),
        Row("parameter with an attribute", save(changed(with_attribute))),
        Row("parameters", save(changed(lambda value: torch.nn.Parameter(value.clone(), requires_grad=True)))),
        Row("float64", save(changed(torch.Tensor.double)), same=False),
        Row("channels last", save(changed(lambda value: value.to(memory_format=torch.channels_last),
                                          lambda value: value.dim() == 4))),
        Row("transposed", save(changed(lambda value: value.t().contiguous().t(), lambda value: value.dim() == 2))),
        Row("part of a larger storage", save(changed(lambda value: torch.cat([value.new_zeros(3), value.flatten(), value.new_zeros(1)])
                                                     [3:-1].view(value.shape)))),
        Row("expanded", save(changed(lambda value: value[:1].expand(value.shape) if value.dim() == 1 else value)), same=False),
        Row("float16 negative", save(changed(torch.Tensor.half)), same=False),
        Row("operations counted", save({**state, "detector.total_ops": torch.zeros(1, dtype=torch.float64),
                                        "total_params": torch.zeros(1, dtype=torch.float64)}),
            warns=("read by no layer",)),
        Row("complex weights", save(changed(lambda value: value.to(torch.complex64), lambda value: value.dim() == 4)), 78,
            ("complex64",)),
    ]
    return rows


def container_rows(state, args, plain):
    def script(path, module=None):
        torch.jit.script(module or module_of(state)).save(path)

    def traced(path):
        torch.jit.trace(module_of(state), torch.ones(1)).save(path)

    def wrapped(path):
        outer = Attributed()
        outer.model = module_of(state)
        script(path, outer)

    def whole(path):
        torch.save(module_of(state), path)

    def exported(path):
        stream = io.BytesIO()
        torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),)), stream)
        path.write_bytes(stream.getvalue())

    def bytes_of(data):
        return lambda path: path.write_bytes(data)

    def prefixed(prefix, **more):
        return lambda path: torch.save({"model": {prefix + name: value for name, value in state.items()} | more, "args": args}, path)

    def keyed(*keys, flat=False, **more):
        return lambda path: torch.save({**{key: state for key in keys[:1]}, **{key: {n: v * 2 for n, v in state.items()}
                                                                               for key in keys[1:]}, **more}, path)

    def inner_words(path):
        torch.save({"model": {name.replace("detector.", "detector._orig_mod.").replace("embedder.", "embedder.module."): value
                              for name, value in state.items()}, "args": args}, path)

    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        entry = tarfile.TarInfo("demo.pth")
        entry.size = len(plain)
        archive.addfile(entry, io.BytesIO(plain))
    return [
        Row("TorchScript", script), Row("TorchScript, traced", traced),
        Row("TorchScript, wrapped", wrapped, warns=("'model.'",)),
        Row("TorchScript, deflated", lambda path: (script(path), zipped(path, path.read_bytes(), compression=zipfile.ZIP_DEFLATED))),
        Row("a newline behind the zip", bytes_of(plain + b"\n")), Row("60,000 bytes behind the zip", bytes_of(plain + bytes(60000))),
        Row("deflated", lambda path: zipped(path, plain, compression=zipfile.ZIP_DEFLATED)),
        Row("bzip2 inside the zip", lambda path: zipped(path, plain, compression=zipfile.ZIP_BZIP2), 69, ("method 12",)),
        *[Row(f"names begin with {prefix}", prefixed(prefix), warns=(f"'{prefix}'",))
          for prefix in ("model.", "ema.", "net.", "wam.", "model.generator.")],
        *[Row(f"names begin with {prefix}", prefixed(prefix), warns=("taken off",))
          for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "_fsdp_wrapped_module.")],
        Row("words inside the names", inner_words, warns=("taken off",)),
        Row("two prefixes", prefixed("student.", **{f"teacher.{n}": v for n, v in state.items()}), 64, ("--key", "student", "teacher")),
        Row("two prefixes, one asked for", prefixed("student.", **{f"teacher.{n}": v * 2 for n, v in state.items()}),
            options=("--key", "model.student"), warns=("'student.'",)),
        *[Row(f"weights under {key}", keyed(key, epoch=1), warns=(f"'{key}'",))
          for key in ("model_state_dict", "params_ema", "ema", "net", "generator")],
        Row("weights under state_dict", keyed("state_dict", epoch=1)),
        Row("weights in a dict in a dict", lambda path: torch.save({"state": {"model": state}, "epoch": 1}, path), warns=("'state.model'",)),
        Row("two state dicts", keyed("params", "params_ema"), 64, ("'params'", "'params_ema'", "--key")),
        Row("two state dicts, one asked for", keyed("params_ema", "params"), options=("--key", "params_ema"), warns=("'params'",)),
        Row("model and ema", keyed("model", "ema"), warns=("others in 'ema'",)),
        Row("a key that is not there", keyed("model", "ema"), 64, ("'emma'", "'model'", "'ema'"), options=("--key", "emma")),
        Row("no state dict at all", lambda path: torch.save({"epoch": 1, "lr": 0.1}, path), 69, ("'epoch'", "'lr'")),
        Row("a whole module", whole, 69, ("whole torch.nn.Module", "state_dict()")),
        Row("a whole module under model", lambda path: torch.save({"model": module_of(state)}, path), 69, ("whole torch.nn.Module",)),
        Row("legacy, a whole module", lambda path: torch.save(module_of(state), path, _use_new_zipfile_serialization=False), 69,
            ("whole torch.nn.Module",)),
        Row("torch.export", exported, 69, ("torch.export",)),
        Row("a git-lfs pointer", bytes_of(b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64), 69, ("git-lfs",)),
        Row("a refusal in XML", bytes_of(b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), 69, ("XML",)),
        Row("a web page", bytes_of(b"\n<!DOCTYPE html><html>Not found</html>"), 69, ("web page",)),
        Row("a tar", bytes_of(tar.getvalue()), 69, ("tar archive",)),
        Row("HDF5", bytes_of(b"\x89HDF\r\n\x1a\n" + bytes(100)), 69, ("HDF5",)),
        Row("ONNX", bytes_of(b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:" + bytes(100)), 69, ("ONNX",)),
        Row("a bare pickle", bytes_of(pickle.dumps({"w": 1})), 69, ("bare Python pickle",)),
        Row("gzip", bytes_of(b"\x1f\x8b\x08" + bytes(100)), 69, ("gunzip",)),
        Row("an .npz", lambda path: numpy.savez(path.open("wb"), a=numpy.ones(2)), 69, (".npz",)),
    ]


def safetensors_rows(state):
    flat = {name: value.clone().contiguous() for name, value in state.items()}
    names = sorted(flat)

    def sharded(path, rename=lambda file: file, drop=(), torch_files=False):
        path.mkdir()
        half = len(names) // 2
        places = {}
        for number, part in enumerate((names[:half], names[half:]), 1):
            file = f"model-0000{number}-of-00002." + ("bin" if torch_files else "safetensors")
            content = {name: flat[name] for name in part if name not in drop}
            torch.save(content, path / file) if torch_files else save_file(content, path / file, metadata={"format": "pt"})
            places.update({name: rename(file) for name in part})
        index = "pytorch_model.bin.index.json" if torch_files else "model.safetensors.index.json"
        (path / index).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))

    return [
        Row("safetensors", lambda path: save_file(flat, path)),
        Row("safetensors, tied names", lambda path: save_model(module_of(state), str(path))),
        Row("shards", sharded), Row("shards of torch", lambda path: sharded(path, torch_files=True)),
        Row("shards outside", lambda path: sharded(path, lambda file: "../" + path.name + "/" + file), 65, ("own folder",)),
        Row("shards at an absolute path", lambda path: sharded(path, lambda file: str(path / file)), 65, ("own folder",)),
        Row("shards that lack a tensor", lambda path: sharded(path, drop=(names[0],)), 65, (names[0],)),
        Row("shards that are not there", lambda path: sharded(path, lambda file: "x" + file), 66, ("cannot open",)),
        Row("an empty folder", lambda path: path.mkdir(), 66, (".index.json",)),
    ]


def args_rows(state, args):
    """Without a card: what `args` say is read, whatever form it has, or refused."""
    def save(**changes):
        return lambda path: torch.save({"model": state, "args": {**args, **changes}}, path)

    return [
        Row("args: plain", save(), card=False), Row("args: a tensor", save(scaling_w=torch.tensor(args["scaling_w"])), card=False),
        Row("args: float32", save(scaling_w=torch.tensor(0.5, dtype=torch.float32)), card=False, same=False),
        Row("args: numpy", save(scaling_w=numpy.float64(args["scaling_w"]), nbits=numpy.int64(args["nbits"])), card=False),
        Row("args: numpy float32", save(scaling_w=numpy.float32(0.5)), card=False, same=False),
        Row("args: a long tensor", save(img_size_proc=torch.tensor(args["img_size_proc"])), card=False),
        Row("args: None", save(attenuation=None), card=False, same=False),
        Row("args: cannot be read", save(scaling_w=fractions.Fraction(1, 3)), 69, ("scaling_w", "--card"), card=False),
        Row("args: a tensor with axes", save(scaling_w=torch.ones(2)), 69, ("scaling_w",), card=False),
        Row("args: an object", lambda path: torch.save({"model": state, "args": fractions.Fraction(1, 3)}, path), 69,
            ("fractions.Fraction", "--card"), card=False),
    ]


def check(sealite, work, row, wanted):
    path, output = work / "checkpoint", work / "out.tflite"
    row.make(path)
    card = ("--card", CARD) if row.card else ()
    done = run(sealite, "convert", path, "-o", output, *card, "--part", "both", "--force", *row.options)
    says = done.stderr.strip()
    assert done.returncode == row.status, f"{row.name}: {done.returncode} {says}"
    for word in (*row.says, *row.warns):
        assert word in says, f"{row.name}: '{word}' is not in: {says}"
    if row.status == 0 and not row.warns:
        assert not says, f"{row.name}: {says}"
    if row.status != 0:
        assert says.count("\n") == 0 and not list(work.glob("out.*")), f"{row.name}: {says} {list(work.iterdir())}"
    made = [file.read_bytes() for file in sorted(work.glob("out.*"))]
    if row.status == 0 and row.same and wanted:
        assert made == wanted, f"{row.name}: another model"
    subprocess.run(["rm", "-r", path, *work.glob("out.*")], check=True)
    return made


def check_inspect(sealite, work, state):
    """What is opaque is shown as such."""
    path = work / "opaque.pth"
    torch.save({"model": state | {"detector.freqs": torch.ones(2, dtype=torch.complex64)}, "best": numpy.float64(0.9),
                "where": pathlib.PosixPath("x"), "mask": torch.eye(2).to_sparse()}, path)
    found = json.loads(run(sealite, "inspect", path, "--json").stdout)
    opaque = {section["name"]: section["opaque"] for section in found["sections"]}
    assert any("multiarray.scalar" in name for name in opaque["best"]), opaque
    assert opaque["where"] == ["pathlib.PosixPath"] and "torch._utils._rebuild_sparse_tensor" in opaque["mask"], opaque
    assert found["unreadable"] == {"detector.freqs": "complex64"}, found["unreadable"]
    shown = run(sealite, "inspect", path, "--tensors").stdout
    assert "opaque: pathlib.PosixPath" in shown and "complex64 detector.freqs" in shown, shown


def main():
    sealite, work = sys.argv[1], pathlib.Path(sys.argv[2])
    demo = torch.load(ROOT / "assets/demo.pth", weights_only=True)
    state = demo["model"]
    args = dict(nbits=32, img_size_proc=64, attenuation="jnd_1_1", scaling_w=1.4, scaling_i=1.0,
                embedder_model="unet_tiny_yuv_quant", extractor_model="convnext_tiny")
    plain = io.BytesIO()
    torch.save({"model": state, "args": args}, plain)
    wanted = {}
    rows = (torch_rows(state, args) + container_rows(state, args, plain.getvalue()) + safetensors_rows(state)
            + args_rows(state, args))
    failed = 0
    for row in rows:
        folder = work / "row"
        folder.mkdir()
        try:
            made = check(sealite, folder, row, wanted.get(row.card))
            wanted.setdefault(row.card, made)
        except AssertionError as error:
            print(error)
            failed += 1
        subprocess.run(["rm", "-rf", folder], check=True)
    check_inspect(sealite, work, state)
    print(f"{len(rows)} files, {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
