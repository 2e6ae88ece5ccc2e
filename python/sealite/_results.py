"""What marking and reading give."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from sealite import _native

P = TypeVar("P")


class Verdict(enum.StrEnum):
    """What one picture's p-value says at a wanted false-positive rate."""

    MARKED = "marked"
    NOT_MARKED = "not marked"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Match:
    """How a detection agrees with an expected message."""

    matches: int
    bits: int
    p_value: float
    """Probability that an unmarked picture agrees at least as well."""
    log10_p_value: float
    """Also where ``p_value`` underflows."""

    @property
    def accuracy(self) -> float:
        """The share of bits that agree."""
        return self.matches / self.bits

    def verdict(self, fpr: float) -> Verdict:
        """The decision at this false-positive rate (docs/false-positives.md)."""
        return Verdict(_native.judge(self.log10_p_value, fpr))


@dataclass(frozen=True)
class Payload:
    """An id or a text that a picture carries (docs/payload.md)."""

    words: str
    """``id:N`` or ``text:STRING``, as ``message`` takes it."""
    id: int | None
    text: str | None
    version: int
    corrected_bits: int
    false_positive: float
    log10_false_positive: float


@dataclass(frozen=True)
class Detection:
    """What a detector reads in one picture. Without a match or a payload it says nothing about a mark."""

    message: str
    """Hexadecimal, the first bit first."""
    ones: int
    """How many bits are 1: about half, marked or not."""
    logits: tuple[float, ...] = field(repr=False)
    """One for each bit behind the unused detection bit (``logits[0]``)."""
    match: Match | None = None
    """With ``expect``."""
    payload: Payload | None = None
    """If the model has 64 to 1024 bits, and the picture carries one."""

    @property
    def bits(self) -> tuple[int, ...]:
        """Zeros and ones, the first bit first."""
        return tuple(int(logit > 0) for logit in self.logits[1:])


@dataclass(frozen=True)
class Marked(Generic[P]):
    """A marked picture, of the kind that was given."""

    picture: P = field(repr=False)
    message: str
    psnr: float | None = None
    """In dB, with ``metrics``; before lossy coding."""
    ssim: float | None = None


@dataclass(frozen=True)
class MarkedFile:
    """A marked picture in a file."""

    output: Path
    message: str
    width: int
    height: int
    bytes: int
    warnings: tuple[str, ...] = ()
    """What of the input the file does not keep."""
    psnr: float | None = None
    ssim: float | None = None
