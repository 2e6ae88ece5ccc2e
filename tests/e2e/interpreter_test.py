"""interpreter_test.py SEALITE WORK: converts every checkpoint of tests/reference and assets and loads the files into the Python Interpreter.

The Interpreter is the other way to run a .tflite file (the product uses LiteRT's C API): it must find the signature
by name and give the reference's numbers. Also looks at a made checkpoint with Python's own zip and pickle tools.
"""

import json
import pathlib
import pickletools
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
from ai_edge_litert.interpreter import Interpreter

# |difference| <= tolerance + tolerance * |reference|. For `demo`, PyTorch's own float32 result lies 1.9 times 2e-6
# away from the same network in float64: its logits reach 10.6 where the others' stay under 2.2.
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOLERANCE = {"chunkyseal_tiny": 2e-6, "pixelseal_tiny": 2e-6, "videoseal_1.0_tiny": 2e-6, "demo": 2e-5}


def run(sealite, *arguments):
    subprocess.run([sealite, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def logits_of(model, images):
    """The logits [N, 1 + bits] by the signature `detect`; one call if the batch is free, else one for each image."""
    interpreter = Interpreter(model_path=str(model))
    detect = interpreter.get_signature_runner("detect")
    assert list(detect.get_input_details()) == ["image"], detect.get_input_details()
    assert list(detect.get_output_details()) == ["logits"], detect.get_output_details()
    free = detect.get_input_details()["image"]["shape_signature"][0] == -1
    batches = [images] if free else [images[i : i + 1] for i in range(len(images))]
    return np.concatenate([detect(image=batch)["logits"] for batch in batches])


def reference(name):
    kept = ROOT / "tests/reference" / name
    return kept if kept.exists() else ROOT / "assets" / name


def check_numbers(sealite, work):
    large = np.load(reference("images_256.npy")).astype(np.float32) / np.float32(255)
    for name, tolerance in TOLERANCE.items():
        images = np.load(reference("images_64.npy")) if name == "demo" else large  # NCHW
        expected = np.load(reference(f"{name}.detector_logits.npy"))
        for kind, options in {"nchw": [], "nhwc": ["--layout", "nhwc"], "dynamic": ["--dynamic"]}.items():
            model = work / f"{name}.{kind}.tflite"
            card = reference(f"{name}.card.yaml")
            run(sealite, "convert", reference(f"{name}.pth"), "-o", model, "--card", card, *options)
            given = np.ascontiguousarray(images.transpose(0, 2, 3, 1)) if kind == "nhwc" else images
            found = logits_of(model, given)
            assert found.shape == expected.shape, (found.shape, expected.shape)
            worst = np.max(np.abs(found - expected) / (tolerance + tolerance * np.abs(expected)))
            print(f"{name:20} {kind:8} {worst:5.2f} of the tolerance {tolerance:.0e}")
            assert worst <= 1, f"{name} {kind}: {worst} times the tolerance"


def write_png(path, pixels):
    """An RGB picture [H, W, 3] uint8, uncompressed filters: enough for a test without a picture library."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def check_recipes(sealite, work):
    """Interpreter and `sealite detect` run the same runtime: the same numbers for each recipe."""
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)  # the demo model's own size
    write_png(work / "noise.png", pixels)
    image = np.ascontiguousarray(pixels.astype(np.float32)[None].transpose(0, 3, 1, 2)) / np.float32(255)
    for recipe in ("float32", "fp16", "int8", "int4"):
        model = work / f"demo.{recipe}.tflite"
        run(sealite, "convert", reference("demo.pth"), "-o", model, "--quantize", recipe)
        detect = [sealite, "detect", model, work / "noise.png", "--json", "--logits"]
        ours = json.loads(subprocess.run(detect, check=True, capture_output=True, text=True).stdout)["logits"]
        worst = np.max(np.abs(logits_of(model, image)[0] - np.array(ours, dtype=np.float32)))
        print(f"demo {recipe}: Interpreter and sealite differ by {worst:.1e}")
        assert worst <= 1e-5, f"{recipe}: {worst}"


def check_checkpoint(sealite, work):
    path = work / "made.pth"
    run(sealite, "make-checkpoint", "--card", reference("pixelseal_tiny.card.yaml"), "-o", path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, "a checksum is wrong"
        entries = archive.infolist()
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
        pickle = archive.read("made/data.pkl")
        storages = {entry.filename for entry in entries if entry.filename.startswith("made/data/")}
    opcodes = list(pickletools.genops(pickle))
    pickletools.dis(pickle, out=open("/dev/null", "w", encoding="utf-8"))  # also checks the stack and the memo
    modules = {argument for opcode, argument, _ in opcodes if opcode.name == "GLOBAL"}
    allowed = {"collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch FloatStorage", "torch LongStorage"}
    assert modules <= allowed, modules - allowed
    print(f"made checkpoint: {len(entries)} stored entries, {len(storages)} storages, {len(opcodes)} opcodes")


def main():
    sealite, work = sys.argv[1], pathlib.Path(sys.argv[2])
    check_numbers(sealite, work)
    check_recipes(sealite, work)
    check_checkpoint(sealite, work)


main()
