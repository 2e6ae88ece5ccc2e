"""Reads pictures."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal, overload

from sealite import _native
from sealite._errors import Error
from sealite._host import make_host, processors
from sealite._pictures import MAX_PIXELS, Picture, batch_items, is_batch, is_encoded, is_path, pixels_of
from sealite._results import Detection, Match, Payload

_Read = tuple[str, int, tuple[float, ...]]

# Files that one native call reads: it decodes the next ones while one is in the model, and has nothing to do beside
# its first and last.
_TOGETHER = 64


class Detector:
    """A converted detector, from its file or the file's bytes, loaded into LiteRT.

    It may be used from several threads, which wait for each other; several detectors compute at the same time.
    ``threads`` (default: as many as the process may use) are for decoding, resizing and reading several pictures,
    ``inference_threads`` for the model alone. ``cache`` keeps packed weights in $SEALITE_CACHE_DIR or
    ~/.cache/sealite, so that the next start of a large model is quick.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        threads: int | None = None,
        inference_threads: int = 1,
        cache: bool = True,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._made_of = (model, threads, inference_threads, cache, max_pixels)
        source = model if isinstance(model, bytes) else os.fspath(model)
        self._threads = processors() if threads is None else threads
        self._readers = max(1, self._threads - inference_threads)
        self._max_pixels = max_pixels
        self._native = _native.Detector(make_host(threads, cache=cache), source, inference_threads)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, self._made_of

    def __repr__(self) -> str:
        model = self._made_of[0]
        name = f"{len(model)} bytes" if isinstance(model, bytes) else repr(os.fspath(model))
        return f"<sealite.Detector of {name}: {self.bits} bits>"

    @property
    def bits(self) -> int:
        """How long a message is."""
        return self._native.bits

    @property
    def image_size(self) -> int:
        """The height that pictures are resized to."""
        return self._native.image_size

    @property
    def fully_delegated(self) -> bool:
        """Whether LiteRT's fast path took every operator."""
        return self._native.fully_delegated

    @property
    def cache(self) -> str:
        """What the cache of weights did: ``off``, ``made`` or ``hit``."""
        return self._native.cache

    @overload
    def detect(
        self, picture: list[Picture] | tuple[Picture, ...], *, expect: str | None = None, key: str = ""
    ) -> list[Detection]: ...

    @overload
    def detect(self, picture: Picture, *, expect: str | None = None, key: str = "") -> Detection: ...

    def detect(self, picture: Any, *, expect: str | None = None, key: str = "") -> Any:
        """Reads one picture of any size; or a list of them, or an array [N,H,W,C] or tensor [N,C,H,W]: a list.

        ``expect`` is a message as `message_hex` takes it: hexadecimal, bits, ``id:N``, ``text:STRING``; the result
        then has a ``match``. ``key`` is the one that whitens ids and texts.
        """
        wanted = None if expect is None else self.message(expect, key=key)
        if isinstance(picture, (list, tuple)) or is_batch(picture):
            items = batch_items(picture) if is_batch(picture) else picture
            return [self._result(found, wanted, key) for found in self._read_all(items, raising=True)]
        (found,) = self._read_all([picture], raising=True)
        return self._result(found, wanted, key)

    @overload
    def detect_many(
        self,
        pictures: Iterable[Picture],
        *,
        expect: str | None = None,
        key: str = "",
        errors: Literal["raise"] = "raise",
    ) -> Iterator[Detection]: ...
    @overload
    def detect_many(
        self,
        pictures: Iterable[Picture],
        *,
        expect: str | None = None,
        key: str = "",
        errors: Literal["return"],
    ) -> Iterator[Detection | Error]: ...

    def detect_many(
        self,
        pictures: Iterable[Picture],
        *,
        expect: str | None = None,
        key: str = "",
        errors: Literal["raise", "return"] = "raise",
    ) -> Iterator[Any]:
        """Reads pictures of any kind one after the other, as many results in the same order.

        Of ``pictures`` at most 64 are taken in advance. With ``errors="return"`` a picture that cannot be read gives
        its `Error` in the place of a `Detection`, and the others are read.
        """
        wanted = None if expect is None else self.message(expect, key=key)
        rest = iter(pictures)
        size = 8
        while some := list(itertools.islice(rest, size)):
            size = min(2 * size, _TOGETHER)
            for found in self._read_all(some, raising=errors == "raise"):
                yield found if isinstance(found, Error) else self._result(found, wanted, key)

    def message(self, words: str, *, key: str = "") -> str:
        """A message of this model in hexadecimal, see `message_hex`."""
        return _native.message_hex(words, self.bits, key)

    def match(self, found: Detection, expected: str, *, key: str = "") -> Match:
        """Compares a detection with a message."""
        return Match(**self._native.match((found.message, found.ones, found.logits), expected, key))

    def _result(self, found: _Read, wanted: str | None, key: str) -> Detection:
        message, ones, logits = found
        match = None if wanted is None else Match(**self._native.match(found, wanted, ""))
        payload = self._native.decode(found, key)
        return Detection(message, ones, logits, match, None if payload is None else Payload(**payload))

    def _read_all(self, pictures: Iterable[Any], *, raising: bool) -> Iterator[Any]:
        """The results, those of neighbours of one kind from one native call."""
        for kind, group in itertools.groupby(pictures, _kind_of):
            items = list(group)
            if kind == "path":
                found = self._native.detect_paths([os.fspath(p) for p in items], self._readers, self._max_pixels)
            elif kind == "encoded":
                found = [self._one(self._read_bytes, item, raising) for item in items]
            else:
                found = self._read_pixels(items, raising)
            for one in found:
                if raising and isinstance(one, Error):
                    raise one
                yield one

    def _one(self, read: Any, picture: Any, raising: bool) -> Any:
        try:
            return read(picture)
        except Error as error:
            if raising:
                raise
            return error

    def _read_bytes(self, picture: Any) -> Any:
        return self._native.detect_bytes(bytes(picture), self._max_pixels)

    def _read_pixels(self, pictures: list[Any], raising: bool) -> list[Any]:
        def read(picture: Any) -> Any:
            return self._native.detect([pixels_of(picture).array])[0]

        if len(pictures) == 1 or not raising:
            return [self._one(read, picture, raising) for picture in pictures]
        return self._native.detect([pixels_of(picture).array for picture in pictures])


def _kind_of(picture: object) -> str:
    if is_path(picture):
        return "path"
    return "encoded" if is_encoded(picture) else "pixels"


def _remake(model: Any, threads: int | None, inference_threads: int, cache: bool, max_pixels: int) -> Detector:
    return Detector(model, threads=threads, inference_threads=inference_threads, cache=cache, max_pixels=max_pixels)
