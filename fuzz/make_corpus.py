#!/usr/bin/env python3
"""Makes the seeds in corpus/ out of what the tests have, and small files of its own. Needs numpy and the program.

    fuzz/make_corpus.py build/release/bin/sealite
"""
import io
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

import numpy

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
SMALL = """args: {nbits: 6, img_size_proc: 64}
embedder: {model: unet_x, params: {unet: {z_channels: 4, z_channels_mults: [1, 2], num_blocks: 1, in_channels: 1,
  out_channels: 1}}}
extractor: {model: convnext_tiny, params: {encoder: {depths: [1, 1, 1, 1], dims: [4, 4, 8, 8]}}}
"""
VIT = """args: {nbits: 6, img_size_proc: 32}
extractor: {model: sam_tiny, params: {encoder: {embed_dim: 8, num_heads: 2, depth: 2, patch_size: 8, window_size: 3,
  global_attn_indexes: [1], mlp_ratio: 1, out_chans: 4, use_rel_pos: true}}}
"""


def put(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def new_readers():
    """Files of old torch, TorchScript, deflate streams, indexes of shards, and objects that stay opaque."""
    sys.path.insert(0, str(ROOT / "attacks"))
    from families import deflate, legacy, opaque, shards, torchscript
    from formats.pickle_ops import model, tensor, text
    head = len(legacy.MAGIC + legacy.VERSION + legacy.SYSTEM)
    put("legacy_torch", "sound", legacy.legacy()[head:])
    put("legacy_torch", "part", legacy.legacy(pickle=legacy.part(4, 2))[head:])
    put("legacy_torch", "two", legacy.legacy(pickle=model(tensor(), text("x") + tensor(key="1")), names=legacy.keys("0", "1"),
                                             storages=legacy.storage() * 2)[head:])
    put("torchscript", "module", b"\x80\x02" + torchscript.module(text("w") + tensor()) + b".")
    put("torchscript", "nested", b"\x80\x02" + torchscript.module(text("a") + torchscript.module(text("w") + tensor()) + text("b")
                                                                  + b"N") + b".")
    put("torchscript", "shared", b"\x80\x02" + torchscript.doubled(3) + b".")
    for name, data in (("short", b"\1" * 24), ("zeros", bytes(70000)), ("text", bytes(range(256)) * 20)):
        put("inflate", name, struct.pack("<I", len(data) - 1) + deflate.deflate(data))
        put("inflate", name + ".stored", struct.pack("<I", len(data) - 1) + deflate.deflate(data, 0))
    put("shards", "one", shards.index({"w": "a"}))
    put("shards", "two", shards.index({"w": "a", "v": "b"}, more=[1, None, {"x": 0.5}]))
    put("shards", "outside", shards.index({"w": "../a"}))
    for name, value in opaque.OBJECTS:
        if len(value) < 2000:
            put("pickle", "opaque." + "".join(c if c.isalnum() else "_" for c in name), model(tensor(), text("x") + value))
    put("pickle", "opaque.args", model(tensor(), text("args") + b"}" + text("a") + b"comegaconf.nodes\nAnyNode\n)\x81}"
                                       + text("_val") + b"K\7sbs"))
    put("pickle", "protocol0", b"(dp0\nVmodel\np1\n(dS'w'\nctorch._utils\n_rebuild_tensor_v2\n(P('storage', <class "
        b"'torch.FloatStorage'>, '0', 'cpu', 6)\nI0\n(I2\nI3\nt(I3\nI1\ntI00\nNtRss.")


def main():
    sealite = sys.argv[1]
    for folder in (HERE / "corpus").iterdir():
        if folder.name != "runnable_graph":  # an attacker's files
            shutil.rmtree(folder)
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        for card, parts in ((SMALL, ("detector", "embedder")), (VIT, ("detector",))):
            (scratch / "small.yaml").write_text(card)
            subprocess.run([sealite, "make-checkpoint", "--card", scratch / "small.yaml", "--part",
                            "all" if len(parts) > 1 else "detector", "-o", scratch / "small.pth"], check=True,
                           stdout=subprocess.DEVNULL)
            kind = "convnext" if len(parts) > 1 else "vit"
            for part in parts:
                for recipe in ("float32", "int8", "fp16"):
                    output = scratch / "m.tflite"
                    subprocess.run([sealite, "convert", scratch / "small.pth", "--card", scratch / "small.yaml", "--part",
                                    part, "--quantize", recipe, "-o", output], check=True, stdout=subprocess.DEVNULL)
                    if recipe == "float32" or kind == "convnext":
                        put("tflite", f"{kind}.{part}.{recipe}", output.read_bytes())
            put("card", kind, card.encode())
            with zipfile.ZipFile(scratch / "small.pth") as archive:
                pickle = next(entry for entry in archive.namelist() if entry.endswith("data.pkl"))
                put("pickle", kind, archive.read(pickle))
        subprocess.run([sealite, "extract", ROOT / "tests/model/data/decoder_conv_1_2.pth", "--part", "all", "-o",
                        scratch / "s.safetensors"], stdout=subprocess.DEVNULL, check=False)
    for path in ROOT.glob("src/model/cards/*.yaml"):
        put("card", path.name, path.read_bytes())
    for path in (ROOT / "tests/model/data/decoder_nearest_2.pth", ROOT / "tests/model/data/decoder_pixelshuffle_2_1.pth"):
        put("checkpoint", path.name, path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            put("pickle", path.name, archive.read(next(e for e in archive.namelist() if e.endswith("data.pkl"))))
    new_readers()
    header = b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"__metadata__":{"epoch":"3"}}'
    put("safetensors", "float32", header)
    put("safetensors", "types", b'{"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]},"b":{"dtype":"BF16","shape":[0],'
        b'"data_offsets":[2,2]},"c":{"dtype":"I64","shape":[1,1],"data_offsets":[2,10]},'
        b'"d":{"dtype":"BOOL","shape":[54],"data_offsets":[10,64]}}')
    put("checkpoint", "small.safetensors", struct.pack("<Q", len(header)) + header + bytes(24))
    for name, array in (("float32", numpy.ones((2, 3), "f4")), ("float64", numpy.ones(4)), ("scalar", numpy.int64(3)),
                        ("fortran", numpy.asfortranarray(numpy.ones((2, 2), "f4"))), ("empty", numpy.ones((0, 3), "f4"))):
        stream = io.BytesIO()
        numpy.save(stream, array)
        put("numpy", name, stream.getvalue())
    random = numpy.random.default_rng(1)
    for bits in range(5):
        put("payload", f"random.{bits}", bytes([bits]) + random.normal(size=256).astype("f4").tobytes())
    put("payload", "special", bytes([1]) + numpy.array([numpy.nan, numpy.inf, -numpy.inf, 0, 1e38] * 13, "f4").tobytes())
    for path in (ROOT / "tests/runtime/data").glob("*.tflite"):
        put("tflite", path.name, path.read_bytes())
    for path in sorted((ROOT / "tests/image/data").iterdir()):
        if path.suffix in (".png", ".jpg", ".webp", ".avif", ".tif", ".gif", ".ppm", ".jxl", ".jp2") and path.stat().st_size < 20000:
            put("picture", path.name, path.read_bytes())


if __name__ == "__main__":
    main()
