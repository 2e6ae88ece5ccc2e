"""Tensors of torch, from the folder of packages that `make test` has them in (1 GB: made if it is not there)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, Environment, make_environment, pythons

PACKAGES = ROOT / "build" / "venv-torch"
SET_UP = """
name=torch
source tests/e2e/python_packages.sh
more_index=https://download.pytorch.org/whl/cpu
need_packages build/venv-torch safetensors.torch torch==2.13.0+cpu safetensors==0.8.0 numpy
"""


@pytest.fixture(scope="module")
def with_torch() -> Environment:
    made = subprocess.run(["bash", "-euc", SET_UP], cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode == 77:
        pytest.skip(made.stdout)
    assert made.returncode == 0, made.stderr
    (extension,) = {file.name.split(".")[1] for file in PACKAGES.glob("torch/_C.cpython-*.so")}
    version = extension.removeprefix("cpython-3").partition("-")[0]
    if f"3.{version}" not in pythons():
        pytest.skip(f"torch is there for Python 3.{version}, which the wheel is not tested with")
    return make_environment(f"3.{version}", f"torch-3.{version}", ["pytest==9.2.0"])


def test_tensors(with_torch: Environment, models: Path) -> None:
    inside = Path(__file__).parent / "in_environment"
    done = with_torch.run(
        with_torch.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", inside / "torch_tensors.py",
        "-c", inside / "pytest.ini", MODELS=str(models), ROOT=str(ROOT), PYTHONPATH=str(PACKAGES),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
