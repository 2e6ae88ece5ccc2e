"""Pictures as people have them, as the native part takes them: [height, width, channels] of 8 bits."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from sealite import _native
from sealite._errors import Error, ErrorCode
from sealite._host import make_host

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import PIL.Image
    import torch

Path: TypeAlias = Union[str, "os.PathLike[str]"]
Picture: TypeAlias = Union[
    str,
    "os.PathLike[str]",
    bytes,
    bytearray,
    memoryview,
    "PIL.Image.Image",
    "npt.NDArray[np.uint8]",
    "torch.Tensor",
]
"""A file's path, a file's bytes, a PIL image, a numpy array [H,W,C] of uint8, a torch tensor [C,H,W]."""

MAX_PIXELS: int = _native.MAX_PIXELS


def _usage(text: str) -> Error:
    return Error(ErrorCode.USAGE, text)


def _is(value: object, module: str, name: str) -> bool:
    """Whether it is of that class, without importing what nobody has imported."""
    known: Any = sys.modules.get(module)
    return known is not None and isinstance(value, getattr(known, name))


def is_path(picture: object) -> bool:
    return isinstance(picture, (str, os.PathLike))


def is_encoded(picture: object) -> bool:
    return isinstance(picture, (bytes, bytearray, memoryview))


def is_batch(picture: object) -> bool:
    """Whether it is an array or tensor of several pictures."""
    return (_is(picture, "numpy", "ndarray") or _is(picture, "torch", "Tensor")) and getattr(picture, "ndim", 0) == 4


@dataclass(frozen=True)
class Pixels:
    """Pixels, and how a marked copy of them becomes what was given."""

    array: Any
    """Something of 8 bits and three axes that gives its memory away."""
    make: Callable[[], tuple[Any, Callable[[], Any]]]
    """Room for a marked copy: what is written to, and what gives it to the caller when that is done."""


def pixels_of(picture: object) -> Pixels:
    """The pixels of a picture in memory, without a copy where it is a numpy array."""
    if _is(picture, "numpy", "ndarray"):
        return _numpy_pixels(picture)
    if _is(picture, "torch", "Tensor"):
        return _torch_pixels(picture)
    if _is(picture, "PIL.Image", "Image"):
        return _pil_pixels(picture)
    raise _usage(
        f"a picture of type {type(picture).__name__}; expected a path, a file's bytes, a PIL image, a numpy array "
        "[H,W,C] of uint8 or a torch tensor [C,H,W] of floats in [0,1]"
    )


def _numpy_pixels(picture: Any) -> Pixels:
    import numpy as np

    if picture.dtype != np.uint8:
        raise _usage(
            f"a numpy array of {picture.dtype}; expected uint8, 0 to 255, [height, width, channels] "
            "(floats in [0,1]: a torch tensor [channels, height, width])"
        )
    if picture.ndim not in (2, 3):
        raise _usage(f"a numpy array of shape {picture.shape}; expected [height, width, channels]")
    array = picture[:, :, None] if picture.ndim == 2 else picture
    if array.shape[2] not in (1, 3, 4):
        raise _usage(
            f"a numpy array of shape {picture.shape}; expected [height, width, channels] with 1, 3 or 4 channels"
        )
    _, width, channels = array.shape
    packed = array.strides[2] == 1 and array.strides[1] == channels and array.strides[0] >= width * channels
    if not packed:
        array = np.ascontiguousarray(array)

    def make() -> tuple[Any, Callable[[], Any]]:
        marked = array.copy(order="C")  # alpha is not written
        return marked, lambda: marked.reshape(picture.shape)

    return Pixels(array, make)


def _torch_pixels(picture: Any) -> Pixels:
    import torch

    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[0] not in (1, 3, 4)):
        raise _usage(
            f"a torch tensor of shape {tuple(picture.shape)}; expected [channels, height, width] with "
            "1, 3 or 4 channels"
        )
    chw = picture.detach()[None] if picture.ndim == 2 else picture.detach()
    if chw.dtype.is_floating_point:
        low, high = (float(x) for x in chw.aminmax())
        slack = 1e-3  # of arithmetic in half precision
        if not (low >= -slack and high <= 1 + slack):
            raise _usage(f"a torch tensor of floats from {low:.6g} to {high:.6g}; expected 0 to 1")
        chw = chw.float().mul(255).round().clamp(0, 255).to(torch.uint8)
    elif chw.dtype != torch.uint8:
        raise _usage(f"a torch tensor of {chw.dtype}; expected floats in [0,1] or uint8")
    hwc = chw.permute(1, 2, 0).contiguous().cpu()

    def make() -> tuple[Any, Callable[[], Any]]:
        marked = hwc.clone()
        return marked, lambda: _as_torch(marked, picture)

    return Pixels(hwc, make)


def _as_torch(marked: Any, like: Any) -> Any:
    chw = marked.permute(2, 0, 1).reshape(like.shape).to(like.device)
    return (chw.float() / 255).to(like.dtype) if like.dtype.is_floating_point else chw.contiguous()


def _pil_pixels(picture: Any) -> Pixels:
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
        raise _usage(f"a PIL image of mode {upright.mode}; expected 8 bits a sample: convert it as you see fit")
    alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    # Marked grey is grey no more where the mark has colours: it becomes RGB, as in files.
    flat = upright if upright.mode in ("RGB", "RGBA") else upright.convert("RGBA" if alpha else "RGB")
    shape = (flat.height, flat.width, len(flat.getbands()))
    pixels = flat.tobytes()

    def make() -> tuple[Any, Callable[[], Any]]:
        marked = bytearray(pixels)

        def finish() -> Any:
            image = Image.frombytes(flat.mode, flat.size, bytes(marked))
            image.info.update(flat.info)
            return image

        return memoryview(marked).cast("B", shape), finish

    return Pixels(memoryview(pixels).cast("B", shape), make)


def batch_items(picture: Any) -> list[Any]:
    """The pictures of a batch [N,H,W,C] or, of torch, [N,C,H,W]."""
    return [picture[i] for i in range(picture.shape[0])]


def read_picture(picture: str | os.PathLike[str] | bytes, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Decodes a picture file, or its bytes: upright, 8-bit RGB, [height, width, 3], as ``detect`` sees it."""
    if importlib.util.find_spec("numpy") is None:
        raise Error(ErrorCode.UNSUPPORTED, "decoded pixels are a NumPy array: pip install numpy")
    host = make_host()
    pixels: npt.NDArray[np.uint8]
    if isinstance(picture, (str, os.PathLike)):
        pixels = _native.read_picture(host, os.fspath(picture), max_pixels)
    else:
        pixels = _native.decode_picture(host, bytes(picture), max_pixels)
    return pixels
