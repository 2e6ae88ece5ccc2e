"""extract_test.py SEALITE WORK: what `sealite extract` writes, read by torch and safetensors themselves."""

import collections
import json
import pathlib
import struct
import subprocess
import sys

import safetensors
import safetensors.torch
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PREFIX = {"detector": "detector.", "embedder": "embedder.", "all": ""}
TYPE = {"fp16": torch.float16, "bf16": torch.bfloat16, "float32": torch.float32}


def run(sealite, *arguments):
    command = [sealite, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def load(path):
    return torch.load(path, weights_only=True)


def same_bits(a, b):
    """Equal shapes, types and bits, NaN included."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    bits = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[a.element_size()]
    return torch.equal(a.contiguous().view(-1).view(bits), b.contiguous().view(-1).view(bits))


def check_tensors(found, wanted, where):
    assert found.keys() == wanted.keys(), f"{where}: {found.keys() ^ wanted.keys()}"
    for name in wanted:
        assert same_bits(found[name], wanted[name]), f"{where}: {name} differs"


def check_types(found, wanted, where):
    """Equal values of equal types, all the way down (1 == 1.0 == True in Python)."""
    assert type(found) is type(wanted) and found == wanted, f"{where}: {found!r} is not {wanted!r}"
    if isinstance(wanted, dict):
        for key in wanted:
            check_types(found[key], wanted[key], f"{where}.{key}")
    elif isinstance(wanted, (list, tuple)):
        for i, item in enumerate(wanted):
            check_types(found[i], item, f"{where}.{i}")


def shared_pairs(tensors):
    """Names of whole tensors that have their memory in common."""
    groups = collections.defaultdict(set)
    for name, tensor in tensors.items():
        if tensor.numel() and tensor.is_contiguous():
            groups[(tensor.data_ptr(), tensor.dtype, tensor.numel())].add(name)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def header_of(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        assert size % 8 == 0
        return json.loads(file.read(size)), file.read()


def check_safetensors(path, wanted, work):
    check_tensors(safetensors.torch.load_file(path), wanted, path)
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        assert metadata["format"] == "pt"
    # The library's own file has the same tensors in the same order at the same places.
    theirs = work / "theirs.safetensors"
    safetensors.torch.save_file({name: tensor.contiguous().clone() for name, tensor in wanted.items()}, theirs)
    our_header, our_data = header_of(path)
    their_header, their_data = header_of(theirs)
    our_header.pop("__metadata__")
    their_header.pop("__metadata__", None)
    assert list(our_header.items()) == list(their_header.items()), f"{path}: another header than the library's"
    assert our_data == their_data
    return metadata


def check_fixtures(sealite, work):
    for path in sorted([*(ROOT / "tests/reference").glob("*.pth"), ROOT / "assets/demo.pth"]):
        source = load(path)
        for part, prefix in PREFIX.items():
            wanted = {name: tensor for name, tensor in source["model"].items() if name.startswith(prefix)}
            if not wanted:
                continue
            run(sealite, "extract", path, "-o", work / "x.pth", "--part", part)
            found = load(work / "x.pth")
            expected_keys = {key for key in ("epoch", "model", "args") if key in source}
            assert found.keys() == expected_keys, found.keys()
            check_tensors(found["model"], wanted, f"{path.name} {part}")
            assert shared_pairs(found["model"]) == shared_pairs(wanted), path
            for key in expected_keys - {"model"}:
                check_types(found[key], source[key], key)
            mapped = torch.load(work / "x.pth", weights_only=True, mmap=True)
            check_tensors(mapped["model"], wanted, f"{path.name} {part} mapped")

            run(sealite, "extract", path, "-o", work / "x.safetensors", "--part", part)
            metadata = check_safetensors(work / "x.safetensors", wanted, work)
            assert "nbits" in metadata, metadata
            if "epoch" in source:
                assert metadata["epoch"] == str(source["epoch"])
            print(f"{path.name:32} {part:9} {len(wanted):4} tensors, args as {type(source['args']).__name__}")


def strange_model():
    """Strides, offsets, shared storages, every element type and every kind of float."""
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(4, 6, 5, 3, generator=generator)
    large = torch.randn(3_000_000, generator=generator)
    large[2_999_999] = float("nan")
    bits = torch.tensor([0x7F800001, -0x3FEDCB, -(2**31), 1, 0x7F7FFFFF, 0x7F800000], dtype=torch.int32)
    model = collections.OrderedDict()
    model["detector.base"] = base
    model["detector.again"] = base
    model["detector.flat"] = base.view(-1)
    model["detector.turned"] = base.permute(3, 1, 0, 2)
    model["detector.part"] = base[1:3, ::2, 1:4]
    model["detector.part_again"] = base[1:3, ::2, 1:4]
    model["detector.offset"] = base.view(-1)[7:19]
    model["detector.channels_last"] = torch.randn(2, 3, 4, 5, generator=generator).to(memory_format=torch.channels_last)
    model["detector.large"] = large
    model["detector.large_turned"] = large[: 1000 * 3000].view(1000, 3000).t()
    model["detector.scalar"] = torch.tensor(2.5)
    model["detector.empty"] = torch.empty(0, 3)
    model["detector.parameter"] = torch.nn.Parameter(torch.ones(3))
    model["detector.bits"] = bits.view(torch.float32)
    model["detector.bits_half"] = torch.tensor([0x7C01, -0x3FF, 1, 0x7BFF], dtype=torch.int16).view(torch.float16)
    model["detector.bits_brain"] = torch.tensor([0x7F81, -0x7F, 1], dtype=torch.int16).view(torch.bfloat16)
    for dtype in (torch.int64, torch.int32, torch.int8, torch.uint8, torch.bool):
        model[f"detector.{dtype}"] = torch.tensor([[1, 0, 3], [7, 8, 0]]).to(dtype).t()
    model["other.tracked"] = torch.tensor(2**40)
    model._metadata = {"": {"version": 1}}
    return model


def check_strange(sealite, work):
    args = {
        "nbits": 256, "large": 2**62, "negative": -1, "lr": 1e-4, "tiny": 5e-324, "inf": float("inf"), "no": None,
        "yes": True, "not": False, "text": "None", "empty": "", "umlaut": "ä\n", "tuple": (1, (2.0, "x"), ()),
        "list": [1, [True, None], []], "dict": {"a": {"b": [{"c": 1}]}, 3: "three", None: 1, 0.5: 2}, "one": 1.0,
    }  # fmt: skip
    dropped = {"dtype": torch.float32, "set": {1, 2}, "seed": 2**70, "tensor": torch.ones(2), "in list": [{1}]}
    model = strange_model()
    source = work / "strange.pth"
    torch.save({"model": model, "optimizer": {"w": torch.ones(9)}, "args": {**args, **dropped}, "epoch": None}, source)
    wanted = {name: tensor.detach() for name, tensor in model.items()}

    report = json.loads(run(sealite, "extract", source, "-o", work / "x.pth", "--part", "all", "--json"))
    assert set(report["dropped_args"]) == set(dropped), report["dropped_args"]
    found = load(work / "x.pth")
    check_tensors(found["model"], wanted, "strange")
    check_types(found["args"], args, "args")
    # Whole tensors of one storage share it again; partial views do not.
    assert shared_pairs(found["model"]) == shared_pairs(wanted)
    assert all(tensor.is_contiguous() for tensor in found["model"].values())
    run(sealite, "extract", source, "-o", work / "x.safetensors", "--part", "all")
    check_safetensors(work / "x.safetensors", wanted, work)

    # The library's own file, and back again with its texts as args.
    safetensors.torch.save_file({"detector.w": torch.ones(3)}, work / "y.safetensors", {"nbits": "64", "note": "x"})
    run(sealite, "extract", work / "y.safetensors", "-o", work / "y.pth")
    back = load(work / "y.pth")
    check_tensors(back["model"], {"detector.w": torch.ones(3)}, "back")
    check_types(back["args"], {"nbits": 64, "note": "x"}, "args of metadata")
    print(f"strange file: {len(wanted)} tensors, {len(args)} args kept, {len(dropped)} dropped by name")
    return source, wanted


def check_conversion(sealite, work, source, wanted):
    for option, dtype in TYPE.items():
        command = ["extract", source, "-o", work / "x.pth", "--part", "all", "--dtype", option, "--json"]
        report = json.loads(run(sealite, *command))
        found = load(work / "x.pth")["model"]
        infinite = {}
        for name, tensor in wanted.items():
            expected = tensor.to(dtype) if tensor.is_floating_point() else tensor
            assert torch.equal(found[name].isnan(), expected.isnan()), f"{option}: NaN of {name}"
            # A NaN's payload is nobody's business.
            clean = [torch.where(each.isnan(), torch.zeros_like(each), each) for each in (found[name], expected)]
            assert same_bits(*clean), f"{option}: {name} differs from torch's own rounding"
            count = int((expected.isinf() & tensor.isfinite()).sum())
            if count:
                infinite[name] = count
        assert dict(report["became_infinite"]) == infinite, (option, report["became_infinite"], infinite)
        print(f"--dtype {option}: as torch rounds; became infinite: {infinite}")


def check_training_state(sealite, work):
    card = ROOT / "tests/reference/chunkyseal_tiny.card.yaml"
    for part in ("detector", "all"):
        command = ["make-checkpoint", "--card", card, "--part", part, "-o", work / "made.pth"]
        run(sealite, *command, "--training-state", "detector")
        made = load(work / "made.pth")
        parameters = [torch.nn.Parameter(t) for name, t in made["model"].items() if name.startswith("detector.")]
        optimizer = torch.optim.AdamW(parameters, lr=1)
        optimizer.load_state_dict(made["optimizer"])
        group = optimizer.param_groups[0]
        check_types([group["lr"], group["betas"], group["eps"]], [1e-4, (0.9, 0.999), 1e-8], "group")
        for parameter in parameters:
            state = optimizer.state[parameter]
            assert state["step"].shape == () and state["step"].dtype == torch.float32
            assert state["exp_avg"].shape == state["exp_avg_sq"].shape == parameter.shape
            assert (state["exp_avg_sq"] >= 0).all()
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        run(sealite, "extract", work / "made.pth", "-o", work / "x.pth")
        assert load(work / "x.pth").keys() == made.keys() - {"optimizer"}
    print(f"training state: AdamW goes on with {len(parameters)} parameters")


def main():
    sealite, work = sys.argv[1], pathlib.Path(sys.argv[2])
    check_fixtures(sealite, work)
    source, wanted = check_strange(sealite, work)
    check_conversion(sealite, work, source, wanted)
    check_training_state(sealite, work)


main()
