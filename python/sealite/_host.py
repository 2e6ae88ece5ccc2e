"""What the native part is told of this process: threads, folders, where libraries lie, progress."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from sealite import _native
from sealite._errors import Error, ErrorCode

Progress: TypeAlias = Callable[[str, int, int], object]
"""Called with the step's name, how much of it is done, and of how much (0: nobody knows)."""

_package = Path(__file__).parent
_logger = logging.getLogger("sealite")


def litert_library() -> Path:
    """The LiteRT library of this package; $SEALITE_LITERT wins."""
    named = os.environ.get("SEALITE_LITERT")
    return Path(named) if named else _package / "lib" / "libLiteRt.so"


def libvips_library() -> Path | None:
    """The libvips of the package ``pyvips-binary``; None if it is not installed."""
    module = importlib.util.find_spec("_libvips")
    if module is None or module.origin is None:
        return None
    folder = Path(module.origin).parent / "pyvips_binary.libs"
    return next(iter(sorted(folder.glob("libvips*.so*"))), None)


def use_libvips() -> None:
    """Tells the native part where libvips is; nothing is loaded before the first picture file."""
    _native.set_libvips(libvips_library() or Path())


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def _log(warning: bool, line: str) -> None:
    _logger.log(logging.WARNING if warning else logging.DEBUG, "%s", line)


class _Bar:
    """Progress as tqdm shows it."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._step = ""

    def __call__(self, step: str, done: int, total: int) -> None:
        from tqdm.auto import tqdm

        if step != self._step:
            self.close()
            self._step = step
        if not step:
            return
        if self._bar is None:
            self._bar = tqdm(total=total or None, desc=step, unit_scale=True)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _progress_of(wish: Progress | bool | None) -> Progress | None:
    if wish is None or wish is False:
        return None
    if wish is not True:
        return wish
    if importlib.util.find_spec("tqdm") is None:
        raise Error(ErrorCode.USAGE, "progress=True shows a bar of tqdm, which is not installed: pip install tqdm")
    return _Bar()


def make_host(threads: int | None = None, progress: Progress | bool | None = None, cache: bool = False) -> _native.Host:
    """The host of a call, or of an object for its life."""
    count = processors() if threads is None else threads
    if count < 1:
        raise Error(ErrorCode.USAGE, f"threads={count}, expected 1 or more")
    folder = _native.user_cache_folder() if cache else Path()
    return _native.Host(count, folder, litert_library(), _progress_of(progress), _log)
