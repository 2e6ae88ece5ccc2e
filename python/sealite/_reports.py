"""What converting, verifying, inspecting and measuring give."""

from __future__ import annotations

import html
import shlex
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sealite import _native


@dataclass(frozen=True)
class QuantizedLayer:
    """What quantising did to a layer; errors are relative."""

    name: str
    format: str
    weights: int
    weight_error: float
    output_error: float | None
    logits_effect: float | None


@dataclass(frozen=True)
class ConvertReport:
    """A written model."""

    part: str
    output: Path
    bytes: int
    card: str
    precision: str
    input_shape: tuple[int, ...]
    """Of ``image``, -1 where free."""
    message_shape: tuple[int, ...]
    """Of ``message``, an embedder's; else empty."""
    output_shape: tuple[int, ...]
    multiply_accumulates: int
    operators: int
    parameters: int
    layers: tuple[QuantizedLayer, ...] = field(repr=False)
    """With ``layer_errors``, the worst first."""
    checkpoint_hash: str
    non_finite: tuple[tuple[str, int], ...]
    unread: tuple[str, ...]

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> ConvertReport:
        layers = tuple(QuantizedLayer(**layer) for layer in fields.pop("layers"))
        return cls(layers=layers, **fields)


@dataclass(frozen=True)
class ExtractReport:
    """A written part of a checkpoint."""

    output: Path
    format: str
    bytes: int
    tensors: int
    tensor_bytes: int
    dtypes: dict[str, int]
    epoch: int | None
    dropped_args: tuple[str, ...]
    dropped_sections: tuple[tuple[str, int, int], ...]
    """Name, tensors and bytes of what stayed behind."""
    dropped_prefixes: tuple[tuple[str, int, int], ...]
    overflowed: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class MakeCheckpointReport:
    """A written checkpoint with random weights."""

    bytes: int
    parameters: int
    tensors: int


@dataclass(frozen=True)
class Figure:
    """A measured number, and what it must keep to."""

    name: str
    value: float
    unit: str
    at_most: float | None
    at_least: float | None


@dataclass(frozen=True)
class Check:
    """One check of `verify`."""

    name: str
    title: str
    outcome: Literal["pass", "fail", "skipped"]
    finding: str
    figures: tuple[Figure, ...] = field(repr=False)


@dataclass(frozen=True)
class ComparedOutput:
    """One picture's output from the original and from the model."""

    picture: str
    reference: tuple[float, ...] = field(repr=False)
    found: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True)
class MarkedPicture:
    """One picture marked with the original's delta and with the model's; PSNR in dB."""

    picture: str
    message: str
    height: int
    width: int
    model_against_reference: float
    model_against_picture: float
    reference_against_picture: float


@dataclass(frozen=True)
class LayerDifference:
    """How far a layer's output is from the original's, relative."""

    name: str
    op: str
    error: float


@dataclass(frozen=True)
class WeightDifference:
    """The worst row of a stored weight."""

    name: str
    type: str
    row: int
    error: float
    in_steps: float


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` found; a notebook shows it as the page that ``sealite verify --report`` writes."""

    model: Path
    bytes: int
    part: str
    card: str
    precision: str
    operators: int
    verdict: Literal["matches", "fails", "cannot tell"]
    reason: str
    compared: tuple[str, ...]
    checks: tuple[Check, ...] = field(repr=False)
    outputs: tuple[ComparedOutput, ...] = field(repr=False)
    marked: tuple[MarkedPicture, ...] = field(repr=False)
    layers: tuple[LayerDifference, ...] = field(repr=False)
    weights: tuple[WeightDifference, ...] = field(repr=False)
    load_seconds: float
    first_run_seconds: float
    run_seconds: float
    total_seconds: float
    _report: _native.VerifyReport = field(repr=False, compare=False)

    @property
    def matches(self) -> bool:
        """Whether every check passed."""
        return self.verdict == "matches"

    def write_html(self, output: str | Path) -> None:
        """Writes the report as one self-contained page."""
        self._report.write_page(f"sealite verify {shlex.quote(str(self.model))}", output)

    def html(self) -> str:
        """The same page as a text."""
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "report.html"
            self.write_html(page)
            return page.read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        # A page has styles of its own, which are not for the notebook around it.
        return (
            f'<iframe srcdoc="{html.escape(self.html())}" title="{html.escape(self.reason)}" '
            'style="width:100%;height:40em;border:0"></iframe>'
        )

    @classmethod
    def _of(cls, native: _native.VerifyReport) -> VerifyReport:
        fields = native.fields()
        checks = tuple(
            Check(figures=tuple(Figure(**figure) for figure in check.pop("figures")), **check)
            for check in fields.pop("checks")
        )
        kinds: dict[str, Any] = {
            "outputs": ComparedOutput,
            "marked": MarkedPicture,
            "layers": LayerDifference,
            "weights": WeightDifference,
        }
        lists: dict[str, Any] = {name: tuple(kind(**item) for item in fields.pop(name)) for name, kind in kinds.items()}
        compared = tuple(fields.pop("compared"))
        return cls(checks=checks, compared=compared, _report=native, **lists, **fields)


@dataclass(frozen=True)
class InspectedTensor:
    """A tensor of a checkpoint or a model."""

    name: str
    type: str
    shape: tuple[int, ...]
    storage: str
    """Of a checkpoint: which of its storages."""
    weight_bytes: int
    """Of a model: 0 for an activation."""


@dataclass(frozen=True)
class InspectedSection:
    """A top-level part of a checkpoint."""

    name: str
    tensors: int
    bytes: int
    opaque: tuple[str, ...]
    """Classes and functions that only code could rebuild: neither imported nor called."""


@dataclass(frozen=True)
class CheckpointInspection:
    """What a checkpoint holds."""

    format: str
    bytes: int
    parameters: int
    args: dict[str, str]
    sections: tuple[InspectedSection, ...]
    tensors: tuple[InspectedTensor, ...] = field(repr=False)
    unreadable: dict[str, str]
    notes: tuple[str, ...]

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> CheckpointInspection:
        sections = tuple(InspectedSection(**section) for section in fields.pop("sections"))
        return cls(sections=sections, tensors=_tensors(fields.pop("tensors")), **fields)


@dataclass(frozen=True)
class InspectedSignature:
    """A signature of a model."""

    key: str
    inputs: tuple[InspectedTensor, ...]
    outputs: tuple[InspectedTensor, ...]


@dataclass(frozen=True)
class ModelInspection:
    """What a .tflite model holds."""

    bytes: int
    description: str
    weights_outside: bool
    signatures: tuple[InspectedSignature, ...]
    operators: dict[str, int]
    metadata: dict[str, str]
    tensors: tuple[InspectedTensor, ...] = field(repr=False)

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> ModelInspection:
        signatures = tuple(
            InspectedSignature(one["key"], _tensors(one["inputs"]), _tensors(one["outputs"]))
            for one in fields.pop("signatures")
        )
        return cls(signatures=signatures, tensors=_tensors(fields.pop("tensors")), **fields)


def _tensors(tensors: list[dict[str, Any]]) -> tuple[InspectedTensor, ...]:
    return tuple(InspectedTensor(**tensor) for tensor in tensors)


@dataclass(frozen=True)
class RunTimes:
    """Seconds of one run."""

    runs: int
    minimum: float
    median: float
    maximum: float
    mean: float
    deviation: float
    median_interval: tuple[float, float, float]
    """Low, high, and the probability that they enclose the median."""


@dataclass(frozen=True)
class BenchMemory:
    """Bytes of this process's memory around loading a model and running it once."""

    resident_before: int
    resident_loaded: int
    resident_run: int
    private_before: int
    private_loaded: int
    private_run: int
    peak: int


@dataclass(frozen=True)
class BenchProfile:
    """Where a run's time goes."""

    runs: int
    run_seconds: float
    operator_seconds: float
    kinds: tuple[tuple[str, int, float], ...]
    """Name, how many, seconds; the slowest first."""
    layers: tuple[tuple[str, str, float], ...]
    """Name, operator, seconds; the slowest first."""


@dataclass(frozen=True)
class BenchedModel:
    """A measured model."""

    path: Path
    bytes: int
    signature: str
    operators: int
    fully_delegated: bool
    load_seconds: float
    first_seconds: float
    warm_up: RunTimes
    steady: RunTimes
    memory: BenchMemory
    float_products: int
    """Multiply-accumulates of a run with float32 filters, and with integer ones."""
    integer_products: int
    share_of_peak: float | None
    profile: BenchProfile | None

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> BenchedModel:
        profile = fields.pop("profile")
        return cls(
            warm_up=RunTimes(**fields.pop("warm_up")),
            steady=RunTimes(**fields.pop("steady")),
            memory=BenchMemory(**fields.pop("memory")),
            profile=None if profile is None else BenchProfile(**profile),
            **fields,
        )


@dataclass(frozen=True)
class BenchReport:
    """What `bench` measured."""

    threads: int
    runtime: Path
    processor: str
    model: BenchedModel
    versus: BenchedModel | None
    ratio: float | None
    """The second model's time / the first's: the median over pairs of runs."""
    ratio_interval: tuple[float, float, float] | None

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> BenchReport:
        versus = fields.pop("versus")
        return cls(
            model=BenchedModel._of(fields.pop("model")),
            versus=None if versus is None else BenchedModel._of(versus),
            **fields,
        )
