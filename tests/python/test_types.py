"""What mypy says of the package, of its stubs, and of a user's program."""

from __future__ import annotations

import subprocess
from pathlib import Path

from conftest import BUILD, ROOT, Environment

TOOLS = BUILD / "tools" / "bin"

USERS_PROGRAM = """
import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import PIL.Image

import sealite


def read(detector: sealite.Detector, array: npt.NDArray[np.uint8], image: PIL.Image.Image) -> list[str]:
    one: sealite.Detection = detector.detect(array, expect="CD750D7D")
    some: list[sealite.Detection] = detector.detect([array, image, "photo.jpg"])
    many: Iterator[sealite.Detection | sealite.Error] = detector.detect_many(os.listdir(), errors="return")
    sure: sealite.Detection = next(detector.detect_many([b"bytes"]))
    messages = [found.message for found in (one, sure, *some)]
    for found in many:
        messages.append(str(found) if isinstance(found, sealite.Error) else found.message)
    if one.match is not None and one.match.verdict(1e-6) is sealite.Verdict.MARKED:
        messages.append(f"{one.match.p_value:.2g}")
    return messages


def mark(embedder: sealite.Embedder, array: npt.NDArray[np.uint8], image: PIL.Image.Image) -> PIL.Image.Image:
    marked: npt.NDArray[np.uint8] = embedder.embed(array, "id:1").picture
    other: npt.NDArray[np.uint8] = embedder.embed("photo.jpg", "id:1", strength=0.5).picture
    print(marked.shape, other.shape, embedder.embed_file("a.jpg", "b.jpg", "id:1").bytes)
    return embedder.embed(image, "id:1").picture


def make() -> None:
    detector, embedder = sealite.convert("a.pth", "a.tflite", part="both", quantize="int8")
    single: sealite.ConvertReport = sealite.convert("a.pth", "a.tflite", progress=True)
    print(detector.bytes, embedder.bytes, single.operators, sealite.verify("a.tflite").verdict)
    try:
        sealite.inspect("a.tflite")
    except sealite.Error as error:
        code: sealite.ErrorCode = error.code
        print(code.name)
"""

WRONG_PROGRAM = """
import sealite

sealite.Detector("a.tflite").detect(3.5)
sealite.convert("a.pth", "a.tflite", quantise="int8")
"""


def mypy(environment: Environment, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOLS / "mypy", "--python-executable", environment.python, "--cache-dir", BUILD / "mypy", *words],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_users_program_is_strictly_typed(one: Environment, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(USERS_PROGRAM)
    done = mypy(one, "--strict", "right.py", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    (tmp_path / "wrong.py").write_text(WRONG_PROGRAM)
    done = mypy(one, "--strict", "wrong.py", cwd=tmp_path)
    assert "2 errors" in done.stdout.splitlines()[-1] or done.stdout.count("error:") == 2, done.stdout


def test_the_package_is_strictly_typed(one: Environment) -> None:
    done = mypy(one, "python/sealite", cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_the_stubs_are_the_module_s(one: Environment) -> None:
    """Each name of the one is in the other, with the same parameters."""
    script = """
import ast, inspect, pathlib, re
import sealite._native as native

stub = ast.parse(pathlib.Path(native.__file__).with_name("_native.pyi").read_text())

def parameters(function):
    return [argument.arg for argument in function.args.args]

def real(function):
    (line, *others) = [text for text in (function.__doc__ or "").splitlines() if re.match(r"\\w+\\(", text)]
    assert not others, line
    return re.findall(r"(?:^|[(, ])(\\w+): ", line[line.index("(") :]) , "self" in line

def compare(names, scope, place):
    public = {name for name in vars(scope) if not name.startswith("_")}
    assert public == names, (place, public ^ names)

top = {}
for node in stub.body:
    if isinstance(node, ast.AnnAssign):
        top[node.target.id] = None
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        top[node.name] = node
compare(set(top), native, "module")
for name, node in top.items():
    if isinstance(node, ast.FunctionDef):
        assert real(getattr(native, name))[0] == parameters(node), name
    if isinstance(node, ast.ClassDef):
        own = {method.name: method for method in node.body}
        kind = getattr(native, name)
        compare({method for method in own if not method.startswith("_")}, kind, name)
        for method, function in own.items():
            if not function.decorator_list:
                assert real(getattr(kind, method))[0] == parameters(function)[1:], (name, method)
print("same")
"""
    done = one.run(one.python, "-c", script)
    assert done.stdout == "same\n", done.stderr
