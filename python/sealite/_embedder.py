"""Marks pictures."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, overload

from sealite import _native
from sealite._errors import Error, ErrorCode
from sealite._host import make_host
from sealite._pictures import MAX_PIXELS, batch_items, is_batch, is_encoded, is_path, pixels_of, read_picture
from sealite._results import Marked, MarkedFile

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import PIL.Image
    import torch

P = TypeVar("P", "npt.NDArray[np.uint8]", "torch.Tensor", "PIL.Image.Image")
Attenuation: TypeAlias = Literal["card", "none", "lowres"]


class Embedder:
    """A converted embedder, from its file or the file's bytes, loaded into LiteRT; for the rest see `Detector`."""

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
        self._max_pixels = max_pixels
        self._native = _native.Embedder(make_host(threads, cache=cache), source, inference_threads)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, self._made_of

    def __repr__(self) -> str:
        model = self._made_of[0]
        name = f"{len(model)} bytes" if isinstance(model, bytes) else repr(os.fspath(model))
        return f"<sealite.Embedder of {name}: {self.bits} bits>"

    @property
    def bits(self) -> int:
        """How long a message is."""
        return self._native.bits

    @property
    def image_size(self) -> int:
        """The height that the model reads."""
        return self._native.image_size

    @property
    def attenuation(self) -> str:
        """The card's: ``none`` or ``jnd_A_B``."""
        return self._native.attenuation

    @property
    def fully_delegated(self) -> bool:
        """Whether LiteRT's fast path took every operator."""
        return self._native.fully_delegated

    @property
    def cache(self) -> str:
        """What the cache of weights did: ``off``, ``made`` or ``hit``."""
        return self._native.cache

    def message(self, words: str | None = None, *, key: str = "") -> str:
        """A message of this model in hexadecimal, see `message_hex`; a random one of None."""
        return _native.random_message_hex(self.bits) if words is None else _native.message_hex(words, self.bits, key)

    @overload
    def embed(
        self,
        picture: P,
        message: str,
        *,
        key: str = "",
        strength: float = 1.0,
        attenuation: Attenuation = "card",
        metrics: bool = False,
    ) -> Marked[P]: ...
    @overload
    def embed(
        self,
        picture: str | os.PathLike[str] | bytes,
        message: str,
        *,
        key: str = "",
        strength: float = 1.0,
        attenuation: Attenuation = "card",
        metrics: bool = False,
    ) -> Marked[npt.NDArray[np.uint8]]: ...

    def embed(
        self,
        picture: Any,
        message: str,
        *,
        key: str = "",
        strength: float = 1.0,
        attenuation: Attenuation = "card",
        metrics: bool = False,
    ) -> Marked[Any]:
        """Marks a picture at its own size; the result's ``picture`` is of the same kind, that of a file an array.

        ``message`` is as `message_hex` takes it; ``strength`` multiplies the mark; ``attenuation="lowres"`` is
        quicker; ``metrics`` measures PSNR and SSIM. A batch [N,H,W,C] or [N,C,H,W] gets the same message in each
        picture.
        """
        wanted = self.message(message, key=key)
        if is_batch(picture):
            return self._embed_batch(picture, wanted, strength, attenuation, metrics)
        if is_path(picture) or is_encoded(picture):
            picture = read_picture(picture, max_pixels=self._max_pixels)
        pixels = pixels_of(picture)
        into, finish = pixels.make()
        report = self._native.embed(pixels.array, into, wanted, strength, attenuation, metrics)
        return Marked(finish(), report["message"], report["psnr"], report["ssim"])

    def embed_file(
        self,
        picture: str | os.PathLike[str],
        output: str | os.PathLike[str],
        message: str,
        *,
        key: str = "",
        quality: int = 95,
        strength: float = 1.0,
        attenuation: Attenuation = "card",
        metrics: bool = False,
    ) -> MarkedFile:
        """Marks a picture file into another, whose extension chooses the format; metadata is kept."""
        wanted = self.message(message, key=key)
        report = self._native.embed_path(
            os.fspath(picture),
            os.fspath(output),
            wanted,
            strength,
            attenuation,
            metrics,
            quality,
            self._max_pixels,
        )
        return MarkedFile(output=Path(output), **report)

    def _embed_batch(
        self, batch: Any, message: str, strength: float, attenuation: Attenuation, metrics: bool
    ) -> Marked[Any]:
        if not batch_items(batch):
            raise Error(ErrorCode.USAGE, "a batch without pictures")
        marked = [
            self.embed(picture, message, strength=strength, attenuation=attenuation, metrics=metrics)
            for picture in batch_items(batch)
        ]
        whole = importlib.import_module(type(batch).__module__.partition(".")[0]).stack([one.picture for one in marked])
        psnr = [one.psnr for one in marked if one.psnr is not None]
        ssim = [one.ssim for one in marked if one.ssim is not None]
        return Marked(whole, message, min(psnr, default=None), min(ssim, default=None))


def _remake(model: Any, threads: int | None, inference_threads: int, cache: bool, max_pixels: int) -> Embedder:
    return Embedder(model, threads=threads, inference_threads=inference_threads, cache=cache, max_pixels=max_pixels)
