"""The wheel as a file: what it needs of a machine, and what a user gets who installs it into an empty environment."""

from __future__ import annotations

import re
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from conftest import BUILD, ROOT, Environment, pythons, wheel_for

WHEELS = sorted({wheel_for(version) for version in pythons()})


def readme_lines() -> str:
    """README.md's Python block."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    return block


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel.name)
def test_needs_no_library_of_this_machine(wheel: Path) -> None:
    tools = BUILD / "tools" / "bin"
    shown = subprocess.run([tools / "auditwheel", "show", wheel], capture_output=True, text=True, check=True).stdout
    words = " ".join(shown.split())
    assert re.search(r'consistent with the following platform tag: "manylinux_2_34_\w+"', words), shown
    inside = {Path(name).name for name in zipfile.ZipFile(wheel).namelist()}
    # What auditwheel calls part of every Linux, and what lies in the wheel itself.
    allowed = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libstdc++.so.6"}
    allowed |= {"libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"} | inside
    with zipfile.ZipFile(wheel) as files:
        for name in files.namelist():
            if name.endswith("bin/sealite") or ".so" in name:
                file = BUILD / "looked-at"
                file.write_bytes(files.read(name))
                dynamic = subprocess.run(["readelf", "-d", file], capture_output=True, text=True, check=True).stdout
                needed = set(re.findall(r"NEEDED.*\[(.*)\]", dynamic))
                assert needed <= allowed, f"{name} needs {needed - allowed}"


def test_the_list_of_late_functions_is_what_the_objects_need() -> None:
    tree = ROOT / "build" / "wheel" / "tree"

    def names(*command: str | Path) -> set[str]:
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return set(re.findall(r" \w ((?:vips|g)_\w+)$", shown, re.M))

    needed = names("nm", "--undefined-only", tree / "libsealite_image.a")
    there = names("nm", "--defined-only", "--extern-only", tree / "python" / "liblate_vips.a")
    assert needed == there


def test_an_empty_environment_runs_the_readme(bare: Environment, tmp_path: Path) -> None:
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    start = time.monotonic()
    done = bare.run(bare.python, "-c", readme_lines(), cwd=tmp_path)
    print(f"{time.monotonic() - start:.1f} s for the README's lines with Python {bare.version}")
    assert done.returncode == 0, done.stderr
    assert "cd750d7d" in done.stdout
    assert "marked" in done.stdout
    assert done.stderr == ""


def test_an_empty_environment_has_the_command(bare: Environment) -> None:
    packages = bare.run(bare.python, "-m", "pip", "list", "--format=freeze").stdout
    names = {line.partition("==")[0] for line in packages.splitlines()}
    assert names - {"pip", "setuptools"} == {"sealite", "pyvips-binary", "cffi", "pycparser"}
    shown = bare.run(bare.sealite, "--help")
    assert shown.returncode == 0
    assert "convert" in shown.stdout
    assert bare.run(bare.python, "-m", "sealite", "--version").stdout == bare.run(bare.sealite, "--version").stdout
    wrong = bare.run(bare.sealite, "no-such-command")
    assert wrong.returncode == 64


def test_without_libvips_there_is_one_clear_error(tmp_path: Path) -> None:
    version = min(pythons())
    folder = BUILD / "without-libvips"
    subprocess.run([pythons()[version], "-m", "venv", "--clear", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps"]
    subprocess.run([*pip, wheel_for(version)], check=True)
    alone = Environment(version, folder)
    model = tmp_path / "demo.tflite"
    made = alone.run(alone.sealite, "convert", "assets/demo.pth", "-o", model, "--card", "assets/demo.card.yaml")
    assert made.returncode == 0, made.stderr
    done = alone.run(alone.sealite, "detect", model, "assets/coffee.png")
    assert done.returncode == 69
    assert "pip install pyvips-binary" in done.stderr
    assert done.stderr.count("\n") == 1
    script = f"""
import sealite
try:
    sealite.Detector({str(model)!r}).detect("assets/coffee.png")
except sealite.Error as error:
    print(error.code.name, error)
"""
    shown = alone.run(alone.python, "-c", script).stdout
    assert shown.startswith("UNSUPPORTED ")
    assert "pip install pyvips-binary" in shown
    broken = alone.run(alone.sealite, "detect", model, "assets/coffee.png", SEALITE_LIBVIPS="/nonexistent/libvips.so")
    assert broken.returncode == 69
    assert "/nonexistent/libvips.so" in broken.stderr
