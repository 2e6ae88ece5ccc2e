"""From a checkpoint to a verified model: the same files and findings as the command's."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sealite
from conftest import COFFEE, MESSAGE, MODELS, ROOT

CHECKPOINT = ROOT / "assets" / "demo.pth"
CARD = ROOT / "assets" / "demo.card.yaml"


def test_convert_writes_the_command_s_bytes(tmp_path: Path, command: Callable[..., list[Any]]) -> None:
    for words, options in [
        ([], {}),
        (["--quantize", "int8"], {"quantize": "int8"}),
        (["--layout", "nhwc"], {"nhwc": True}),
    ]:
        ours, theirs = tmp_path / "ours.tflite", tmp_path / "theirs.tflite"
        report = sealite.convert(CHECKPOINT, ours, card=CARD, force=True, **options)  # type: ignore[arg-type]
        (line,) = command("convert", CHECKPOINT, "-o", theirs, "--card", CARD, "--force", "--json", *words)
        assert ours.read_bytes() == theirs.read_bytes()
        assert report.output == ours
        assert report.bytes == line["bytes"] == ours.stat().st_size
        assert report.checkpoint_hash == line["checkpoint_hash"]
        assert report.operators == line["operators"]
        assert report.part == "detector"


def test_convert_both_parts_and_into_a_folder(tmp_path: Path) -> None:
    detector, embedder = sealite.convert(CHECKPOINT, tmp_path / "demo.tflite", part="both", card=CARD)
    assert (detector.part, embedder.part) == ("detector", "embedder")
    assert detector.output == tmp_path / "demo.detector.tflite"
    assert embedder.output.read_bytes() == (MODELS / "demo.embedder.tflite").read_bytes()
    named = sealite.convert(CHECKPOINT, tmp_path, card=CARD, quantize="int8")
    assert named.output == tmp_path / "demo_detector_demo_64_int8.tflite"
    with pytest.raises(TypeError, match="quantise"):
        sealite.convert(CHECKPOINT, tmp_path, quantise="int8")  # type: ignore[call-overload]


def test_a_model_of_another_conversion_stays_unless_forced(tmp_path: Path) -> None:
    output = tmp_path / "demo.tflite"
    sealite.convert(CHECKPOINT, output, card=CARD)
    before = output.read_bytes()
    with pytest.raises(sealite.Error) as caught:
        sealite.convert(CHECKPOINT, output, card=CARD, quantize="int8")
    assert caught.value.code == sealite.ErrorCode.USAGE
    assert output.read_bytes() == before
    sealite.convert(CHECKPOINT, output, card=CARD, quantize="int8", force=True)
    assert output.read_bytes() != before


def test_extract_and_inspect(tmp_path: Path, command: Callable[..., list[Any]]) -> None:
    report = sealite.extract(CHECKPOINT, tmp_path / "ours.safetensors", part="detector", dtype="float16")
    command(
        "extract", CHECKPOINT, "-o", tmp_path / "theirs.safetensors", "--part", "detector", "--dtype", "fp16", "--json"
    )
    assert report.output.read_bytes() == (tmp_path / "theirs.safetensors").read_bytes()
    assert report.format == "safetensors"
    found = sealite.inspect(report.output)
    assert isinstance(found, sealite.CheckpointInspection)
    assert len(found.tensors) == report.tensors
    (line,) = command("inspect", CHECKPOINT, "--json")
    whole = sealite.inspect(CHECKPOINT)
    assert isinstance(whole, sealite.CheckpointInspection)
    assert whole.parameters == line["parameters"]
    assert whole.format == "torch"
    model = MODELS / "demo.detector.tflite"
    for source in (model, model.read_bytes()):
        shown = sealite.inspect(source)
        assert isinstance(shown, sealite.ModelInspection)
        assert [one.key for one in shown.signatures] == ["detect"]
        assert shown.signatures[0].outputs[0].shape == (1, 33)


def test_verify_says_what_the_command_says(tmp_path: Path, command: Callable[..., list[Any]]) -> None:
    model = MODELS / "demo.detector.tflite"
    report = sealite.verify(model, checkpoint=CHECKPOINT, card=CARD, images=[COFFEE])
    (line,) = command("verify", model, "--checkpoint", CHECKPOINT, "--card", CARD, "--images", COFFEE, "--json")
    assert report.verdict == "matches"
    assert report.matches
    assert [(check.name, check.outcome) for check in report.checks] == [
        (check["name"], check["outcome"]) for check in line["checks"]
    ]
    page = report.html()
    assert page.startswith("<!DOCTYPE html>")
    assert report.reason.split(";")[0][:30] in page
    assert "<iframe srcdoc=" in report._repr_html_()
    report.write_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == page
    damaged = bytearray(model.read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 4000] = bytes(4000)
    (tmp_path / "damaged.tflite").write_bytes(damaged)
    assert sealite.verify(tmp_path / "damaged.tflite", checkpoint=CHECKPOINT, card=CARD).verdict == "fails"


def test_bench_measures() -> None:
    model = MODELS / "demo.detector.tflite"
    report = sealite.bench(model, versus=model, runs=6, peak=False)
    assert report.model.steady.runs == 6
    assert 0 < report.model.steady.minimum <= report.model.steady.median <= report.model.steady.maximum
    assert report.model.path == model
    assert report.versus is not None
    assert report.ratio is not None
    assert report.model.share_of_peak is None


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda folder: sealite.Detector(folder / "absent.tflite"), "NOT_FOUND"),
        (lambda folder: sealite.Detector(CHECKPOINT), "MALFORMED"),
        (lambda folder: sealite.Detector(MODELS / "demo.embedder.tflite"), "MISMATCH"),
        (lambda folder: sealite.Embedder(MODELS / "demo.detector.tflite"), "MISMATCH"),
        (lambda folder: sealite.Detector(MODELS / "demo.detector.tflite", threads=0), "USAGE"),
        (lambda folder: sealite.convert(folder / "absent.pth", folder / "a.tflite"), "NOT_FOUND"),
        (lambda folder: sealite.convert(CHECKPOINT, folder / "a.tflite", card="chunkyseal"), "MISMATCH"),
        (lambda folder: sealite.convert(CHECKPOINT, folder / "a.tflite", card=CARD, quantize="int3"), "USAGE"),
        (lambda folder: sealite.convert(CHECKPOINT, folder / "no" / "a.tflite", card=CARD), "IO"),
        (lambda folder: sealite.extract(CHECKPOINT, folder / "a.zip"), "USAGE"),
        (lambda folder: sealite.inspect(COFFEE), "UNSUPPORTED"),
        (lambda folder: sealite.message_hex("id:1", 32), "USAGE"),
        (lambda folder: sealite.read_picture(b"no picture"), "MALFORMED"),
    ],
)
def test_errors_have_codes_and_leave_nothing(call: Callable[[Path], object], code: str, tmp_path: Path) -> None:
    with pytest.raises(sealite.Error) as caught:
        call(tmp_path)
    assert caught.value.code.name == code, caught.value
    assert len(str(caught.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_errors_survive_pickling() -> None:
    import pickle

    error = sealite.Error(sealite.ErrorCode.IO, "a text")
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, str(again)) == (error.code, "a text")


def test_progress_is_called_and_may_end_the_call(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    sealite.convert(CHECKPOINT, tmp_path / "a.tflite", card=CARD, progress=lambda *step: steps.append(step))
    assert steps
    assert all(done <= total for _, done, total in steps if total)

    def stop(step: str, done: int, total: int) -> None:
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        sealite.convert(CHECKPOINT, tmp_path / "b.tflite", card=CARD, progress=stop)
    assert not (tmp_path / "b.tflite").exists()
    sealite.convert(CHECKPOINT, tmp_path / "c.tflite", card=CARD, progress=True)


LONG_CALLS = {
    "detect_many": f"""
detector = sealite.Detector({str(MODELS / "demo.detector.tflite")!r})
print("ready", flush=True)
for _ in detector.detect_many(itertools.repeat({str(COFFEE)!r})): pass
""",
    "detect": f"""
import numpy as np
detector = sealite.Detector({str(MODELS / "demo.detector.tflite")!r})
picture = np.zeros((64, 64, 3), np.uint8)
print("ready", flush=True)
while True: detector.detect([picture] * 1000)
""",
    "convert": """
sealite.make_checkpoint("big.pth", card="pixelseal", detector_only=True)
print("ready", flush=True)
while True: sealite.convert("big.pth", "big.tflite", quantize="int4", force=True)
""",
    "verify": f"""
print("ready", flush=True)
while True: sealite.verify({str(MODELS / "demo.detector.tflite")!r}, checkpoint={str(CHECKPOINT)!r},
                           card={str(CARD)!r}, images=[{str(COFFEE)!r}] * 50)
""",
}


@pytest.mark.parametrize("name", LONG_CALLS)
def test_ctrl_c_ends_a_call(name: str, tmp_path: Path) -> None:
    # A parent in the background may have left SIGINT ignored: then Python does not listen to it.
    head = "import itertools, signal, sealite\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script = head + LONG_CALLS[name]
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.7)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        try:
            _, words = process.communicate(timeout=30)
        finally:
            process.kill()
    assert time.monotonic() - start < 10
    assert "KeyboardInterrupt" in words
    assert process.returncode == -signal.SIGINT
    assert [file.name for file in tmp_path.iterdir() if file.name not in ("big.pth", "big.tflite")] == []


def test_messages() -> None:
    assert sealite.message_hex("CD750D7D", 32) == MESSAGE
    assert sealite.message_hex("text:hi", 256) != sealite.message_hex("text:hi", 256, key="secret")
    assert len(sealite.random_message(256)) == 64
    assert "chunkyseal" in sealite.cards()
