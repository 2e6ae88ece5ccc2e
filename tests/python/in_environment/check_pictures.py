"""Pictures of every kind that people have: the same answers as the command's."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

import sealite
from conftest import COFFEE, MARKED, MESSAGE, MODELS, ROOT

# Each format that Pillow writes and Sealite reads.
FORMATS = {"jpg": {"quality": 95}, "png": {}, "webp": {"quality": 95}, "avif": {"quality": 95}, "tiff": {}, "gif": {}}


def test_a_path_gives_what_the_command_says(detector: sealite.Detector, command: Callable[..., list[Any]]) -> None:
    pictures = [COFFEE, MARKED, *sorted((ROOT / "tests" / "reference").glob("*.png"))[:8]]
    lines = command("detect", MODELS / "demo.detector.tflite", *pictures, "--expect", MESSAGE, "--logits", "--json")
    for picture, line in zip(pictures, lines, strict=True):
        found = detector.detect(picture, expect=MESSAGE)
        assert found.message == line["message"]
        assert found.ones == line["ones"]
        assert found.logits == tuple(np.float32(line["logits"]).tolist())
        assert found.match is not None
        assert found.match.matches == line["matches"]
        assert found.match.log10_p_value == line["log10_p_value"]
        assert detector.detect(str(picture)) == detector.detect(picture)


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "image" / "data").glob("*.npy")), ids=lambda f: f.stem)
def test_pixels_are_those_of_other_decoders(file: Path) -> None:
    # As tests/image/picture_test.cc has it with Debian's libvips.
    pixels = sealite.read_picture(file.with_suffix(""))
    difference = np.abs(pixels.astype(int) - np.load(file))
    assert difference.max() <= (3 if file.stem == "rgb.avif" else 0)


@pytest.mark.parametrize("extension", FORMATS)
def test_each_format_gives_what_the_command_says(
    extension: str, detector: sealite.Detector, command: Callable[..., list[Any]], tmp_path: Path
) -> None:
    file = tmp_path / f"picture.{extension}"
    PIL.Image.open(MARKED).convert("RGB").save(file, **FORMATS[extension])
    (line,) = command("detect", MODELS / "demo.detector.tflite", file, "--expect", MESSAGE, "--logits", "--json")
    assert line["matches"] >= 30  # of 32: the picture was decoded, and its mark survived
    assert detector.detect(file).logits == tuple(np.float32(line["logits"]).tolist())
    assert detector.detect(file.read_bytes()).logits == detector.detect(file).logits


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "avif", "tif"])
def test_each_format_is_written_as_the_command_writes_it(
    extension: str, embedder: sealite.Embedder, detector: sealite.Detector, command: Callable[..., Any], tmp_path: Path
) -> None:
    ours, theirs = tmp_path / f"ours.{extension}", tmp_path / f"theirs.{extension}"
    report = embedder.embed_file(COFFEE, ours, MESSAGE)
    assert (report.width, report.height) == PIL.Image.open(COFFEE).size
    assert report.bytes == ours.stat().st_size
    command("embed", MODELS / "demo.embedder.tflite", COFFEE, "-o", theirs, "--message", MESSAGE, "--json")
    if extension == "avif":  # whose encoder's bytes depend on libvips' threads: one in the command
        difference = sealite.read_picture(ours).astype(float) - sealite.read_picture(theirs)
        assert np.abs(difference).mean() < 1
    else:
        assert ours.read_bytes() == theirs.read_bytes()
    match = detector.detect(ours, expect=MESSAGE).match
    assert match is not None
    assert match.accuracy >= 0.9
    assert match.verdict(1e-4) is sealite.Verdict.MARKED


def test_long_xmp_of_jpegs_is_named_by_its_md5(embedder: sealite.Embedder, tmp_path: Path) -> None:
    import hashlib

    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b" " * 70_000 + b"</x:xmpmeta>"
    source, output = tmp_path / "in.png", tmp_path / "out.jpg"
    text = PIL.PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    PIL.Image.open(COFFEE).convert("RGB").save(source, pnginfo=text)
    embedder.embed_file(source, output, MESSAGE)
    assert hashlib.md5(xmp).hexdigest().upper().encode() in output.read_bytes()


@pytest.mark.parametrize(("name", "start"), [("x.ppm", b"P6 1 1 255\n\1\2\3"), ("x.jxl", b"\xff\x0a" + b"\0" * 40)])
def test_what_this_libvips_cannot_read_is_unsupported(
    name: str, start: bytes, detector: sealite.Detector, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(start)
    with pytest.raises(sealite.Error, match=r"reads no such files: it has no (ppm|jxl)load") as caught:
        detector.detect(tmp_path / name)
    assert caught.value.code == sealite.ErrorCode.UNSUPPORTED


def test_memory_of_every_kind_gives_the_file_s_answer(detector: sealite.Detector) -> None:
    file = detector.detect(MARKED)
    image = PIL.Image.open(MARKED).convert("RGB")
    array = np.asarray(image)
    kinds: list[Any] = [
        MARKED.read_bytes(),
        bytearray(MARKED.read_bytes()),
        memoryview(MARKED.read_bytes()),
        image,
        array,
        np.dstack([array, np.zeros(array.shape[:2], np.uint8)]),  # alpha is not looked at
        np.asfortranarray(array),
        np.repeat(array, 2, axis=1)[:, ::2],
        array[::-1][::-1],
        sealite.read_picture(MARKED),
        sealite.read_picture(MARKED.read_bytes()),
    ]
    for kind in kinds:
        assert detector.detect(kind) == file
    frozen = array.copy()
    frozen.flags.writeable = False
    assert detector.detect(frozen) == file
    wide = np.zeros((array.shape[0], array.shape[1] + 40, 3), np.uint8)
    wide[:, 20:-20] = array
    assert detector.detect(wide[:, 20:-20]) == file  # rows with gaps between them


def test_batches_are_lists_of_results(detector: sealite.Detector) -> None:
    two = np.stack([np.asarray(PIL.Image.open(f).convert("RGB")) for f in (COFFEE, MARKED)])
    expected = [detector.detect(COFFEE), detector.detect(MARKED)]
    assert detector.detect(two) == expected
    assert detector.detect([COFFEE, two[1]]) == expected
    assert detector.detect(two[:0]) == []


def test_grey_and_palette_images_are_as_their_files(detector: sealite.Detector, tmp_path: Path) -> None:
    image = PIL.Image.open(MARKED)
    for mode in ("L", "P", "RGBA", "LA"):
        other = image.convert("RGB").convert(mode)
        other.save(tmp_path / "picture.png")
        assert detector.detect(other) == detector.detect(tmp_path / "picture.png"), mode


def test_images_are_upright_as_files_are(detector: sealite.Detector, tmp_path: Path) -> None:
    file = tmp_path / "turned.jpg"
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.open(MARKED).convert("RGB").transpose(PIL.Image.Transpose.ROTATE_90).save(file, exif=exif, quality=95)
    match = detector.detect(file, expect=MESSAGE).match
    assert match is not None
    assert match.matches == 32
    again = detector.detect(PIL.Image.open(file), expect=MESSAGE).match
    assert again is not None
    assert again.matches == 32


def test_marked_pictures_are_of_the_kind_that_was_given(
    embedder: sealite.Embedder, detector: sealite.Detector, command: Callable[..., Any], tmp_path: Path
) -> None:
    command("embed", MODELS / "demo.embedder.tflite", COFFEE, "-o", tmp_path / "m.png", "--message", MESSAGE, "--json")
    wanted = sealite.read_picture(tmp_path / "m.png")
    image = PIL.Image.open(COFFEE).convert("RGB")
    array = np.asarray(image)
    before = array.copy()
    for picture in (array, COFFEE, COFFEE.read_bytes()):
        marked = embedder.embed(picture, MESSAGE)
        assert isinstance(marked.picture, np.ndarray)
        assert np.array_equal(marked.picture, wanted)
        assert marked.message == MESSAGE
    assert np.array_equal(array, before)
    of_image = embedder.embed(image, MESSAGE, metrics=True)
    assert isinstance(of_image.picture, PIL.Image.Image)
    assert np.array_equal(np.asarray(of_image.picture), wanted)
    assert of_image.psnr is not None
    assert of_image.psnr > 25
    alpha = np.dstack([array, np.full(array.shape[:2], 7, np.uint8)])
    with_alpha = embedder.embed(alpha, MESSAGE).picture
    assert np.array_equal(with_alpha[..., :3], wanted)
    assert (with_alpha[..., 3] == 7).all()
    both = embedder.embed(np.stack([array, array]), MESSAGE).picture
    assert np.array_equal(both, np.stack([wanted, wanted]))
    assert detector.detect(of_image.picture, expect=MESSAGE).match.accuracy >= 0.9  # type: ignore[union-attr]


def test_arrays_are_not_copied() -> None:
    # The peak of a process's memory around a picture of 300 MB, which a copy would raise by as much.
    script = f"""
import resource
import numpy as np
import sealite
detector = sealite.Detector({str(MODELS / "demo.detector.tflite")!r})
small = np.full((100, 100, 3), 9, np.uint8)
detector.detect(small)
large = np.full((10_000, 10_000, 3), 9, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
detector.detect(large)
detector.detect(large[:, 1:-1])
detector.detect(large[None])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""
    more = int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
    assert more < 100, f"{more} MiB"


def test_many_pictures_come_in_order_and_errors_do_not_stop_them(detector: sealite.Detector, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(MARKED.read_bytes()[:5000])
    array = np.asarray(PIL.Image.open(MARKED).convert("RGB"))
    some: list[Any] = [MARKED, broken, array, tmp_path / "absent.png", b"no picture", COFFEE, array.astype(float)]
    taken = 0

    def pictures() -> Iterator[Any]:
        nonlocal taken
        for _ in range(30):
            for picture in some:
                taken += 1
                yield picture

    found = detector.detect_many(pictures(), errors="return")
    first = next(found)
    assert taken <= 64
    results = [first, *found]
    assert len(results) == 210
    codes = sealite.ErrorCode
    expected: list[Any] = [
        detector.detect(MARKED), codes.MALFORMED, detector.detect(MARKED), codes.NOT_FOUND, codes.MALFORMED,
        detector.detect(COFFEE), codes.USAGE,
    ]  # fmt: skip
    for i, result in enumerate(results):
        wanted = expected[i % 7]
        assert (result.code if isinstance(result, sealite.Error) else result) == wanted, i
    with pytest.raises(sealite.Error, match=r"broken\.png"):
        list(detector.detect_many([MARKED, broken]))
    assert list(detector.detect_many([])) == []


def test_threads_share_a_detector_and_several_compute_at_once(detector: sealite.Detector) -> None:
    expected = detector.detect(MARKED)
    array = np.asarray(PIL.Image.open(MARKED).convert("RGB"))
    others = [sealite.Detector(MODELS / "demo.detector.tflite") for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        shared = list(pool.map(lambda _: detector.detect(array), range(40)))
        own = list(pool.map(lambda i: others[i % 3].detect(MARKED), range(40)))
    assert shared == [expected] * 40
    assert own == [expected] * 40


def test_python_goes_on_while_the_model_computes(detector: sealite.Detector) -> None:
    import threading
    import time

    large = np.zeros((9_000, 9_000, 3), np.uint8)
    beats = 0
    done = threading.Event()

    def beat() -> None:
        nonlocal beats
        while not done.is_set():
            time.sleep(0.001)
            beats += 1

    thread = threading.Thread(target=beat)
    thread.start()
    start = time.monotonic()
    before = beats
    detector.detect(large)
    seconds = time.monotonic() - start
    during = beats - before
    done.set()
    thread.join()
    assert during > 20 * seconds, f"{during} beats in {seconds:.2f} s"


def test_models_may_be_bytes_and_travel_to_other_processes(detector: sealite.Detector) -> None:
    whole = (MODELS / "demo.detector.tflite").read_bytes()
    expected = detector.detect(MARKED)
    assert sealite.Detector(whole).detect(MARKED) == expected
    assert sealite.Detector(whole[:-64] + b"\0" * 63 + b"\0").detect(MARKED) == expected
    again = pickle.loads(pickle.dumps(detector))
    assert again.detect(MARKED) == expected
    assert pickle.loads(pickle.dumps(expected)) == expected
    assert "32 bits" in repr(detector)
    with pytest.raises(sealite.Error) as caught:
        sealite.Detector(whole[:-1000])
    assert caught.value.code == sealite.ErrorCode.MALFORMED
