"""The one exception."""

from __future__ import annotations

import enum


class ErrorCode(enum.IntEnum):
    """Why something failed; the numbers are the command's exit statuses."""

    USAGE = 64
    """The caller asked for something that makes no sense."""
    MALFORMED = 65
    """The input's bytes are broken, contradictory or hostile."""
    NOT_FOUND = 66
    """An input cannot be opened."""
    UNSUPPORTED = 69
    """A well-formed input that Sealite does not handle, or a missing library."""
    INTERNAL = 70
    """A defect in Sealite or in what it calls."""
    NO_MEMORY = 71
    """Memory ran out."""
    IO = 74
    """Reading or writing failed, e.g. a full disk."""
    TIMEOUT = 75
    """Only the command has one."""
    MISMATCH = 78
    """A checkpoint does not fit its card, or two inputs each other."""
    INTERRUPTED = 130
    """The call was cancelled."""


class Error(Exception):
    """What Sealite raises: ``code`` says why, the text what, where, expected, found and what to do."""

    def __init__(self, code: ErrorCode | int, message: str) -> None:
        super().__init__(int(code), message)
        self.code = ErrorCode(code)
        self.message = message

    def __str__(self) -> str:
        return self.message
