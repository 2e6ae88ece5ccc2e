"""Runs in_environment/*.py, pytest files, inside environments with the wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT, Environment

INSIDE = Path(__file__).parent / "in_environment"


@pytest.mark.parametrize("file", sorted(INSIDE.glob("check_*.py")), ids=lambda file: file.stem)
def test_in_environment(full: Environment, models: Path, file: Path) -> None:
    done = full.run(
        full.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", file, "-c", INSIDE / "pytest.ini",
        MODELS=str(models), ROOT=str(ROOT),
    )  # fmt: skip
    print(done.stdout[-3000:])
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
