from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sealite

ROOT = Path(os.environ["ROOT"])
MODELS = Path(os.environ["MODELS"])
COFFEE = ROOT / "assets" / "coffee.png"
MARKED = ROOT / "assets" / "coffee.watermarked.png"
MESSAGE = "cd750d7d"


@pytest.fixture(scope="session")
def detector() -> sealite.Detector:
    return sealite.Detector(MODELS / "demo.detector.tflite")


@pytest.fixture(scope="session")
def embedder() -> sealite.Embedder:
    return sealite.Embedder(MODELS / "demo.embedder.tflite")


@pytest.fixture(scope="session")
def command() -> Callable[..., list[Any]]:
    """The command of the same environment: its lines of JSON."""

    def run(*words: str | Path, status: int = 0) -> list[Any]:
        program = Path(sys.executable).parent / "sealite"
        done = subprocess.run([program, *words], capture_output=True, text=True, cwd=ROOT, check=False)
        assert done.returncode == status, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run
