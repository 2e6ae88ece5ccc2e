"""The command ``sealite``: the real program, told where this package's libraries are."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from sealite._host import libvips_library, litert_library


def main() -> NoReturn:
    """Becomes the program: signals, memory limits and the exit status are its own."""
    environment = dict(os.environ)
    environment["SEALITE_LITERT"] = str(litert_library())
    libvips = libvips_library()
    if libvips is not None:
        environment.setdefault("SEALITE_LIBVIPS", str(libvips))
    os.execve(Path(__file__).parent / "bin" / "sealite", ["sealite", *sys.argv[1:]], environment)
