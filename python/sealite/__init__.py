"""Seal image watermarks: checkpoints to verified TFLite models, and pictures marked and read with them."""

from sealite import _host, _native
from sealite._detector import Detector
from sealite._embedder import Embedder
from sealite._errors import Error, ErrorCode
from sealite._make import bench, convert, extract, inspect, make_checkpoint, verify
from sealite._pictures import MAX_PIXELS, Picture, read_picture
from sealite._reports import (
    BenchReport,
    CheckpointInspection,
    ConvertReport,
    ExtractReport,
    ModelInspection,
    VerifyReport,
)
from sealite._results import Detection, Marked, MarkedFile, Match, Payload, Verdict

__version__: str = _native.VERSION

_host.use_libvips()


def message_hex(words: str, bits: int, *, key: str = "") -> str:
    """A message in hexadecimal: of ``id:N``, ``text:STRING``, ``number:N``, 0s and 1s or hexadecimal."""
    return _native.message_hex(words, bits, key)


def random_message(bits: int) -> str:
    """A random message in hexadecimal, from the system's random numbers."""
    return _native.random_message_hex(bits)


def cards() -> tuple[str, ...]:
    """The names of the compiled-in model cards."""
    return _native.card_names()


__all__ = [
    "MAX_PIXELS",
    "BenchReport",
    "CheckpointInspection",
    "ConvertReport",
    "Detection",
    "Detector",
    "Embedder",
    "Error",
    "ErrorCode",
    "ExtractReport",
    "Marked",
    "MarkedFile",
    "Match",
    "ModelInspection",
    "Payload",
    "Picture",
    "Verdict",
    "VerifyReport",
    "bench",
    "cards",
    "convert",
    "extract",
    "inspect",
    "make_checkpoint",
    "message_hex",
    "random_message",
    "read_picture",
    "verify",
]
