"""Each Python that scripts/setup.sh found gets an empty virtual environment with the wheel that is for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "python"
# What the tests of pictures in memory need beside the wheel.
PICTURE_PACKAGES = ["numpy==2.4.6", "pillow==13.0.0", "tqdm==4.67.1", "pytest==9.2.0"]


def pythons() -> dict[str, str]:
    """Version and program."""
    lines = (BUILD / "pythons").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def wheel_for(version: str) -> Path:
    tag = "cp311-cp311" if version == "3.11" else "cp312-abi3"
    (wheel,) = (ROOT / "build" / "wheel").glob(f"sealite-*-{tag}-*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel installed."""

    version: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def sealite(self) -> Path:
        return self.folder / "bin" / "sealite"

    def run(self, *command: str | Path, cwd: Path = ROOT, **extra: str) -> subprocess.CompletedProcess[str]:
        """Without this machine's LiteRT and libvips: what is not in the environment is not there."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEALITE_", "PYTHON"))}
        kept |= {"SEALITE_CACHE_DIR": str(BUILD / "cache"), "PYTHONDONTWRITEBYTECODE": "1"} | extra
        return subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, timeout=300, check=False)

    def run_json(self, *command: str | Path) -> list[Any]:
        """The command's lines of JSON."""
        done = self.run(self.sealite, *command)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def make_environment(version: str, name: str, packages: list[str]) -> Environment:
    """Made once for a wheel and these packages."""
    wheel = wheel_for(version)
    folder = BUILD / name
    stamp = f"{pythons()[version]} {wheel.name} {wheel.stat().st_mtime_ns} {packages}"
    installed = folder / "installed"
    if not installed.exists() or installed.read_text() != stamp:
        subprocess.run([pythons()[version], "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--only-binary=:all:", wheel, *packages], check=True)
        installed.write_text(stamp)
    return Environment(version, folder)


@pytest.fixture(scope="session", params=sorted(pythons()))
def bare(request: pytest.FixtureRequest) -> Environment:
    """With the wheel and what it asks for, nothing else; one for each Python."""
    return make_environment(request.param, f"bare-{request.param}", [])


@pytest.fixture(scope="session", params=["first", "last"])
def full(request: pytest.FixtureRequest) -> Environment:
    """With numpy, Pillow and tqdm as well: the wheel of Python 3.11, and the one of all later ones."""
    versions = sorted(pythons())
    version = versions[0] if request.param == "first" else versions[-1]
    if request.param == "last" and version == versions[0]:
        pytest.skip("one Python only is here")
    return make_environment(version, f"full-{version}", PICTURE_PACKAGES)


@pytest.fixture(scope="session")
def one() -> Environment:
    """For what does not depend on the Python."""
    version = min(pythons())
    return make_environment(version, f"full-{version}", PICTURE_PACKAGES)


@pytest.fixture(scope="session")
def models(one: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with demo.detector.tflite and demo.embedder.tflite, made by the command."""
    folder = tmp_path_factory.mktemp("models")
    made = one.run(
        one.sealite, "convert", "assets/demo.pth", "-o", folder / "demo.tflite", "--part", "both",
        "--card", "assets/demo.card.yaml",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return folder


assert sys.version_info >= (3, 11)
