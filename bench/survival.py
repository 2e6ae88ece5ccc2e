#!/usr/bin/env python3
"""Marks photos with the demo model and reads them back after PNG, JPEG, WebP, halving and crops; prints markdown tables.

usage: bench/survival.py SEALITE PICTURE... [--recipes RECIPE...]   (default recipes: float32 fp16 int8)

Pillow halves and crops the marked PNG (so many hundredths of the side are cut off each side); without it those columns are
left out.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    from PIL import Image
except ImportError:
    Image = None

MESSAGE = "CD750D7D"
CROPS = (1, 2, 5, 10)  # hundredths of width and height, off each of the four sides
WRITTEN = {"PNG": ("png", None), "JPEG 90": ("jpg", 90), "JPEG 70": ("jpg", 70), "WebP 80": ("webp", 80)}


def sealite(*arguments):
    done = subprocess.run([SEALITE, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def read(detector, picture):
    found = json.loads(sealite("detect", detector, picture, "--expect", MESSAGE, "--json"))
    return found["bits"] - found["matches"]


def cell(detector, picture):
    return str(read(detector, picture))


def table(recipe, photos, work):
    for part in ("embedder", "detector"):
        sealite("convert", DEMO, "--part", part, "--quantize", recipe, "-o", work / f"{part}.tflite", "--force")
    detector = work / "detector.tflite"
    columns = list(WRITTEN) + (["half size", *(f"crop {c} %" for c in CROPS)] if Image else [])
    print(f"\n{recipe}: wrong bits of 32\n\n| photo | PSNR | {' | '.join(columns)} | unmarked |")
    print("| --- " * (len(columns) + 3) + "|")
    for photo in photos:
        cells = []
        for name, (extension, quality) in WRITTEN.items():
            marked = work / f"marked.{extension}"
            options = ["--quality", quality] if quality else []
            report = json.loads(sealite("embed", work / "embedder.tflite", photo, "-o", marked, "--message", MESSAGE,
                                        "--json", *options))
            if name == "PNG":
                psnr = report["psnr"]
            cells.append(cell(detector, marked))
        if Image:
            whole = Image.open(work / "marked.png")
            whole.resize((whole.width // 2, whole.height // 2), Image.BICUBIC).save(work / "half.png")
            cells.append(cell(detector, work / "half.png"))
            for crop in CROPS:
                x, y = whole.width * crop // 100, whole.height * crop // 100
                whole.crop((x, y, whole.width - x, whole.height - y)).save(work / "crop.png")
                cells.append(cell(detector, work / "crop.png"))
        print(f"| {photo.stem} | {psnr:.1f} dB | {' | '.join(cells)} | {cell(detector, photo)} |")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("sealite")
parser.add_argument("pictures", type=pathlib.Path, nargs="+")
parser.add_argument("--recipes", nargs="+", default=["float32", "fp16", "int8"])
OPTIONS = parser.parse_args()
SEALITE, DEMO = OPTIONS.sealite, pathlib.Path(__file__).resolve().parent.parent / "assets/demo.pth"
with tempfile.TemporaryDirectory() as folder:
    for which in OPTIONS.recipes:
        table(which, OPTIONS.pictures, pathlib.Path(folder))
