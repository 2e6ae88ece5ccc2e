"""What the fault tests run and what must hold after every run (used by inject.py and kill_loop.py)."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
ASSETS = SOURCE / "assets"
OLDER = b"an older file"

# Detectors of about 16 MB (smaller ones than 8 MiB are not cached) and 150 MB (converting takes long enough to
# be killed).
CARD = """args: {{nbits: {bits}, img_size_proc: {size}}}
extractor:
  model: convnext_tiny
  params:
    encoder: {{depths: [1, 1, 1, 2], dims: [{dims}], stem_stride: 4}}
    pixel_decoder: {{upscale_stages: [1]}}
"""
CARDS = {
    "cached": CARD.format(bits=64, size=64, dims="32, 64, 128, 384"),
    "medium": CARD.format(bits=256, size=256, dims="128, 256, 512, 1408"),
}


@dataclass
class Command:
    """Words with {in} and {out} for the folders; `outputs` are names in the out folder."""

    words: list
    outputs: list = field(default_factory=list)
    answers: bool = False  # what it prints counts as well
    guests: bool = False  # LiteRT, GLib or libvips run in it
    cached: bool = False  # has a weight cache of its own


def convert(name: str, *more: str, outputs: list = None) -> Command:
    card = str(ASSETS / "demo.card.yaml") if name == "demo" else "{in}/" + name + ".yaml"
    words = ["convert", "{in}/" + name + ".pth", "-o", "{out}/x.tflite", "--card", card, "--force", *more]
    return Command(words, outputs or ["x.tflite"])


def embed(extension: str) -> Command:
    output = "x." + extension
    words = ["embed", "{in}/demo.embedder.tflite", "{in}/coffee.png", "-o", "{out}/" + output]
    return Command([*words, "--message", "CD750D7D"], [output], guests=True)


def detect(model: str, cached: bool) -> Command:
    words = ["detect", "{in}/" + model, "{in}/coffee.watermarked.png", "--json", "--logits"]
    return Command(words, answers=True, guests=True, cached=cached)


def extract(name: str, extension: str) -> Command:
    output = "x." + extension
    return Command(["extract", "{in}/" + name + ".pth", "-o", "{out}/" + output], [output])


COMMANDS = {
    "convert": convert("demo"),
    "convert-json": convert("demo", "--json"),
    "convert-int8": convert("demo", "--quantize", "int8", "--sync"),
    "convert-both": convert("demo", "--part", "both", outputs=["x.detector.tflite", "x.embedder.tflite"]),
    "convert-medium": convert("medium"),
    "extract": extract("demo", "pth"),
    "extract-safetensors": extract("demo", "safetensors"),
    "extract-medium": extract("medium", "pth"),
    "make-checkpoint": Command(
        ["make-checkpoint", "--card", str(ASSETS / "demo.card.yaml"), "-o", "{out}/x.pth"], ["x.pth"]),
    "embed-png": embed("png"),
    "embed-jpeg": embed("jpg"),
    "detect": detect("demo.detector.tflite", cached=False),
    "detect-cached": detect("cached.tflite", cached=True),
    "inspect": Command(["inspect", "{in}/demo.pth"], answers=True),
}


def stamp(path: Path) -> tuple:
    """Nobody can write to a file and keep this: the time of change cannot be set."""
    info = path.stat()
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def answer(text: str):
    """What a command printed, less times and memory."""
    kept = []
    for line in text.splitlines():
        if line.startswith("{"):
            line = {key: value for key, value in json.loads(line).items() if key not in ("seconds", "cache")}
        kept.append(line)
    return kept


class Outcome:
    def __init__(self, process: subprocess.Popen, out: str, err: str):
        self.status = process.returncode if process.returncode >= 0 else None
        self.signal = -process.returncode if process.returncode < 0 else None
        self.out, self.err = out, err

    def __str__(self):
        end = f"signal {signal.Signals(self.signal).name}" if self.signal else f"status {self.status}"
        return f"{end}: {self.err.strip()[:400]}"


class Workbench:
    """A folder with the inputs of one command and what the command makes when all goes well."""

    def __init__(self, sealite: str, name: str):
        self.sealite = sealite
        self.command = COMMANDS[name]
        self.folder = Path(tempfile.mkdtemp(prefix="sealite-faults-"))
        self.inputs = self.folder / "in"
        self.inputs.mkdir()
        self.environment = dict(os.environ, SEALITE_CACHE_DIR=str(self.folder / "cache"))
        self.environment.setdefault("SEALITE_LITERT", str(SOURCE / "build/litert/libLiteRt.so"))
        self._make_inputs()
        self._run_cleanly()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _succeed(self, *words):
        subprocess.run([self.sealite, *map(str, words)], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)

    def _make_inputs(self):
        wanted = {Path(word).name for word in self.command.words if word.startswith("{in}/")}
        for asset in ("demo.pth", "coffee.png", "coffee.watermarked.png"):
            if asset in wanted:
                shutil.copy(ASSETS / asset, self.inputs)
        for name, card in CARDS.items():
            if not wanted & {f"{name}.pth", f"{name}.tflite"}:
                continue
            (self.inputs / f"{name}.yaml").write_text(card)
            self._succeed("make-checkpoint", "--card", self.inputs / f"{name}.yaml", "--part", "detector", "-o",
                          self.inputs / f"{name}.pth")
        if "cached.tflite" in wanted:
            self._succeed("convert", self.inputs / "cached.pth", "-o", self.inputs / "cached.tflite", "--card",
                          self.inputs / "cached.yaml")
        if wanted & {"demo.detector.tflite", "demo.embedder.tflite"}:
            self._succeed("convert", ASSETS / "demo.pth", "-o", self.inputs / "demo.tflite", "--card",
                          ASSETS / "demo.card.yaml", "--part", "both")
        self.stamps = {path: stamp(path) for path in self.inputs.iterdir()}
        self.hashes = {path: hashlib.sha256(path.read_bytes()).digest() for path in self.inputs.iterdir()}

    def _run_cleanly(self):
        out = self.new_out()
        outcome = self.run(out)
        if outcome.status != 0:
            raise SystemExit(f"the clean run failed: {outcome}")
        self.complete = {name: (out / name).read_bytes() for name in self.command.outputs}
        self.answer = answer(outcome.out)
        self._verify(out)
        shutil.rmtree(out)

    def _verify(self, out: Path):
        """A model that counts as complete has to be right as well."""
        for name in self.command.outputs:
            if name.endswith(".tflite"):
                card = self.command.words[self.command.words.index("--card") + 1].replace("{in}", str(self.inputs))
                checkpoint = self.command.words[1].replace("{in}", str(self.inputs))
                self._succeed("verify", out / name, "--checkpoint", checkpoint, "--card", card)

    def new_out(self, older: bool = False) -> Path:
        out = Path(tempfile.mkdtemp(prefix="out-", dir=self.folder))
        if older:
            for name in self.command.outputs:
                (out / name).write_bytes(OLDER)
        return out

    def start(self, out: Path, **environment: str) -> subprocess.Popen:
        words = [word.replace("{in}", str(self.inputs)).replace("{out}", str(out)) for word in self.command.words]
        changed = dict(self.environment, **environment)
        if self.command.cached:
            changed["SEALITE_CACHE_DIR"] = str(out / "cache")
        return subprocess.Popen([self.sealite, *words], env=changed, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")

    def finish(self, process: subprocess.Popen) -> Outcome:
        try:
            out, err = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err = "it hung; " + err
        return Outcome(process, out, err)

    def run(self, out: Path, **environment: str) -> Outcome:
        return self.finish(self.start(out, **environment))

    def usual_seconds(self) -> float:
        """The shortest of some runs, with warm caches."""
        times = []
        for _ in range(4):
            out = self.new_out()
            begin = time.monotonic()
            self.run(out)
            times.append(time.monotonic() - begin)
            shutil.rmtree(out)
        return min(times)

    def files(self, out: Path) -> set:
        """What lies there, less a weight cache's own files."""
        found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
        return {name for name in found if not name.startswith("cache/") or ".partial" in name}

    def present(self, out: Path) -> set:
        """Of the outputs, those that are there and not the older ones."""
        return {name for name in self.command.outputs
                if (out / name).exists() and (out / name).read_bytes() != OLDER}

    def problems(self, out: Path, older: bool, leftovers: bool = False) -> list:
        """Half files, lost older files, foreign files, touched inputs. `leftovers`: recognisable ones may lie
        there."""
        found = []
        for name in self.present(out):
            if (out / name).read_bytes() != self.complete[name]:
                found.append(f"{name} is neither complete nor the older one")
        files = self.files(out)
        if older and not set(self.command.outputs) <= files:
            found.append("an older file is lost")
        for name in files - set(self.command.outputs):
            if not leftovers or not is_leftover(name, self.command.outputs):
                found.append(f"{name} is left")
        if any(stamp(path) != old for path, old in self.stamps.items()) or len(self.stamps) != len(
                list(self.inputs.iterdir())):
            found.append("an input was touched")
        return found

    def report_damaged_inputs(self) -> list:
        damaged = [str(path) for path, digest in self.hashes.items()
                   if hashlib.sha256(path.read_bytes()).digest() != digest]
        for path in damaged:
            print(f"{path} is damaged")
        return damaged


def is_leftover(name: str, outputs: list) -> bool:
    """.NAME.PID.partial"""
    return any(name.startswith(f".{output}.") and name.endswith(".partial")
               and name[len(output) + 2:-len(".partial")].isdigit() for output in outputs)
