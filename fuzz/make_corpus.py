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
        if path.suffix in (".png", ".jpg", ".webp", ".avif", ".tif", ".tiff") and path.stat().st_size < 20000:
            put("picture", path.name, path.read_bytes())


if __name__ == "__main__":
    main()
