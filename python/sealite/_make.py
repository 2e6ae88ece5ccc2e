"""From a checkpoint to a verified model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Union, Unpack, overload

from sealite import _native
from sealite._host import Progress, make_host
from sealite._reports import (
    BenchReport,
    CheckpointInspection,
    ConvertReport,
    ExtractReport,
    MakeCheckpointReport,
    ModelInspection,
    VerifyReport,
)

Path: TypeAlias = Union[str, "os.PathLike[str]"]


def _paths(paths: Sequence[Path]) -> list[str]:
    return [os.fspath(path) for path in paths]


def _optional(path: Path | None) -> str:
    return "" if path is None else os.fspath(path)


class ConvertOptions(TypedDict, total=False):
    """The options of ``sealite convert``."""

    card: Path | None
    """A compiled-in name or a YAML file; None: derived from the checkpoint."""
    key: str
    """Which of several state dicts, or networks by what their names begin with."""
    image_size: int
    nhwc: bool
    dynamic: bool
    """Batch, height and width stay free (detectors)."""
    quantize: str | None
    """float32, fp16, int8 or int4."""
    keep: Sequence[str]
    """"REGEX=float32|fp16|int8": layers that ``quantize`` spares."""
    calibrate: Sequence[Path]
    """Picture files on which rounding errors are corrected."""
    gptq: bool
    layer_errors: bool
    allow_non_finite: bool
    model_name: str
    """A word of the file's name in a folder."""
    force: bool
    """Also replace a file that another conversion made."""
    sync: bool
    threads: int | None
    progress: Progress | bool | None
    """Called with (step, done, total); True: a bar of tqdm."""


@overload
def convert(
    checkpoint: Path,
    output: Path,
    *,
    part: Literal["detector", "embedder"] = "detector",
    **options: Unpack[ConvertOptions],
) -> ConvertReport: ...
@overload
def convert(
    checkpoint: Path, output: Path, *, part: Literal["both"], **options: Unpack[ConvertOptions]
) -> tuple[ConvertReport, ConvertReport]: ...


def convert(checkpoint: Path, output: Path, *, part: str = "detector", **options: Unpack[ConvertOptions]) -> Any:
    """Turns a .pth or .safetensors checkpoint into a .tflite file; weights stream from file to file.

    ``output`` is a file, or a folder, which then gets files of the conversion guide's names. ``part="both"`` writes
    NAME.detector.tflite and NAME.embedder.tflite for ``output`` NAME.tflite. A file that another conversion made
    stays unless ``force``. The other options are `ConvertOptions`.
    """
    unknown = options.keys() - ConvertOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"convert() got an unexpected keyword argument {sorted(unknown)[0]!r}")
    wishes = {
        "part": part,
        "card": _optional(options.get("card")),
        "key": options.get("key", ""),
        "image_size": options.get("image_size", 0),
        "nhwc": options.get("nhwc", False),
        "dynamic": options.get("dynamic", False),
        "quantize": options.get("quantize") or "float32",
        "keep": list(options.get("keep", ())),
        "calibrate": _paths(options.get("calibrate", ())),
        "gptq": options.get("gptq", False),
        "layer_errors": options.get("layer_errors", False),
        "allow_non_finite": options.get("allow_non_finite", False),
        "model_name": options.get("model_name", ""),
        "force": options.get("force", False),
        "sync": options.get("sync", False),
    }
    host = make_host(options.get("threads"), options.get("progress"))
    folder = os.path.isdir(output) or os.fspath(output).endswith("/")
    reports = _native.convert(host, os.fspath(checkpoint), os.fspath(output), folder, wishes)
    made = tuple(ConvertReport._of(report) for report in reports)
    return made if part == "both" else made[0]


def extract(
    checkpoint: Path,
    output: Path,
    *,
    part: Literal["detector", "embedder", "all"] = "detector",
    dtype: Literal["float32", "float16", "bfloat16"] | None = None,
    key: str = "",
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> ExtractReport:
    """Copies a part of a checkpoint, with its ``args`` and ``epoch``, to a new .pth, .pt or .safetensors file."""
    host = make_host(threads, progress)
    return ExtractReport(**_native.extract(host, os.fspath(checkpoint), os.fspath(output), part, dtype or "", key))


def verify(
    model: Path,
    *,
    checkpoint: Path | None = None,
    card: Path | None = None,
    key: str = "",
    reference: Path | None = None,
    images: Sequence[Path] = (),
    runs: int = 3,
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> VerifyReport:
    """Compares what a model computes with what its original computes. A broken model is a verdict, no exception.

    ``reference`` is an .npz file or a folder of .npy files with tensors from PyTorch (docs/verification.md).
    """
    host = make_host(threads, progress)
    return VerifyReport._of(
        _native.verify(
            host,
            os.fspath(model),
            _optional(checkpoint),
            _optional(card),
            key,
            _optional(reference),
            _paths(images),
            runs,
        )
    )


def inspect(file: Path | bytes, *, key: str = "") -> CheckpointInspection | ModelInspection:
    """What a checkpoint's or a .tflite model's file holds, or a model's bytes; nothing in it is executed."""
    host = make_host()
    if isinstance(file, bytes):
        return ModelInspection._of(_native.inspect_model(host, file))
    path = os.fspath(file)
    if _native.is_model_file(path):
        return ModelInspection._of(_native.inspect_model(host, path))
    return CheckpointInspection._of(_native.inspect_checkpoint(host, path, key))


def bench(
    model: Path,
    *,
    versus: Path | None = None,
    threads: int = 1,
    runs: int = 0,
    signature: str = "",
    profile: bool = False,
    peak: bool = True,
    progress: Progress | bool | None = None,
) -> BenchReport:
    """Measures a .tflite model, or two in turns: times, memory, and the share of this machine's matrix peak."""
    host = make_host(threads, progress)
    return BenchReport._of(
        _native.bench(host, os.fspath(model), _optional(versus), threads, runs, signature, profile, peak)
    )


def make_checkpoint(
    output: Path, *, card: Path = "chunkyseal", seed: int = 0, detector_only: bool = False
) -> MakeCheckpointReport:
    """Writes a checkpoint of this card's architecture with random weights: for tests and measurements."""
    return MakeCheckpointReport(
        **_native.make_checkpoint(make_host(), os.fspath(output), os.fspath(card), seed, detector_only)
    )
