#!/usr/bin/env python3
"""Mutates sound files at random and runs the program on each: no file may crash, hang or exhaust it.

    attacks/mutate.py BINARY [--count 1000] [--seed 1] [--kind KIND ...] [--only NUMBER] [--keep DIR] [--in-turn]

Kinds: checkpoint, tflite and picture, which are all files (--suffix .jxl: only those); and each container of a checkpoint
by itself (CONTAINERS below).
Each file is given to every command that reads its kind; --in-turn gives it to one, the next file to the next. A case is
made again by its kind, number and seed: --kind tflite --seed 1 --only 4711 --keep DIR. Status 1: findings.
--replay PROGRAM: checkpoints of one file go to that replay of fuzz/checkpoint.cc, hundreds at a time, and not to BINARY:
no start for each, and a sanitizer may look on.
"""
import argparse
import collections
import multiprocessing
import pathlib
import random
import subprocess
import sys
import tempfile

import program
import valid_files
from attack import CHECKPOINT, DETECT, EMBED, INSPECT, MARK_PICTURE, READ_PICTURE, Command
from mutations import Mutator

MEMORY = 256 * 1024  # KiB above the sound file's
# By the word in the name of the sound file.
CONTAINERS = ("legacy", "jit", "deflated", "opaque", "protocol0", "protocol1", "index")
KINDS = ("checkpoint", "tflite", "picture", *CONTAINERS)
PICTURES = (".png", ".jpg", ".webp", ".avif", ".tif", ".gif", ".ppm", ".jxl", ".jp2")
# A small file may claim many pixels: within the limit that is no finding.
LIMIT = ("--max-pixels", "1000000")
PICTURE = tuple(Command(c.name, c.arguments + LIMIT, c.output) for c in (READ_PICTURE, MARK_PICTURE))


def is_of_kind(name, kind):
    if kind in CONTAINERS:
        return name.split(".")[1] == kind
    if name.endswith(PICTURES) or kind == "picture":
        return kind == "picture" and name.endswith(OPTIONS.suffix or PICTURES)
    return name.endswith(".tflite") == (kind == "tflite")


def is_sound(path):
    return path.suffix in (".pth", ".safetensors", ".tflite") and path.name != "vit.pth" and ".shard" not in path.name \
        or path.name.endswith(".index.json")


def commands_for(name):
    if name.endswith(PICTURES):
        return PICTURE
    if name.endswith(".tflite"):
        return [INSPECT, EMBED if name.startswith("embedder") else DETECT]
    return CHECKPOINT


def commands_of(case):
    commands = commands_for(case.name)
    return [commands[case.number % len(commands)]] if OPTIONS.in_turn else commands


class Case:
    """One mutated file in a folder of its own."""

    def __init__(self, sound, kind, seed, number):
        chance = random.Random(f"{seed} {kind} {number}")
        self.name = chance.choice([name for name in sorted(sound.files) if is_of_kind(name, kind)])
        self.number = number
        mutator = Mutator(chance)
        make = {"tflite": mutator.flatbuffer, "picture": mutator.picture}.get(kind, mutator.checkpoint)
        self.file = "case" + self.name[self.name.rindex("."):]
        self.files = {self.file: sound.files[self.name]}
        if self.name.endswith(".json"):
            self.files |= sound.shards
        changed = chance.choice(sorted(self.files))
        self.files[changed] = make(self.files[changed])


class Sound:
    """The sound files, and the memory that each command takes for them."""

    def __init__(self, runner, folder):
        self.runner = runner
        self.folder = folder
        valid_files.small_files(runner, folder)
        self.files = {p.name: p.read_bytes() for p in folder.iterdir() if is_sound(p)}
        for picture in sorted((valid_files.ROOT / "tests/image/data").iterdir()):
            if picture.suffix in PICTURES and "picture" in OPTIONS.kind:
                self.files[picture.name] = picture.read_bytes()
                (folder / picture.name).write_bytes(self.files[picture.name])
        self.shards = {p.name: p.read_bytes() for p in folder.glob("*.shard*")}
        self.peaks = {}
        for name in self.files if not OPTIONS.replay else ():
            for command in commands_for(name):
                outcome = runner.run(self.arguments(command, folder / name), folder)
                if outcome.status != 0:
                    raise SystemExit(f"{command.name} refuses the sound {name}: {outcome.err}")
                self.peaks[name, command.name] = outcome.peak
                for made in folder.glob("o.*"):
                    made.unlink()

    def arguments(self, command, file):
        return [word.format(file=file, sound=self.folder, photo=valid_files.PHOTO) for word in command.arguments]


def judge(sound, case, command, outcome, folder):
    found = program.defects(outcome)
    more = outcome.peak - sound.peaks[case.name, command.name]
    if more > MEMORY and OPTIONS.memory_bound:
        found.append(f"{more // 1024} MiB more memory than for the sound file")
    made = {p.name for p in folder.iterdir()} - set(case.files)
    wanted = {command.output} if command.output and outcome.status == 0 else set()
    if made != wanted:
        found.append(f"left {sorted(made)}, expected {sorted(wanted)}")
    if any((folder / name).read_bytes() != data for name, data in case.files.items()):
        found.append("the input was changed")
    for name in made:
        (folder / name).unlink()
    return found, more


def run_case(number):
    """(number, file, [(command, status, MiB more)], [finding])"""
    case = Case(SOUND, OPTIONS.kind, OPTIONS.seed, number)
    rows, findings = [], []
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name:
        folder = pathlib.Path(name)
        for file, data in case.files.items():
            (folder / file).write_bytes(data)
        for command in commands_of(case):
            outcome = SOUND.runner.run(SOUND.arguments(command, folder / case.file), folder)
            found, more = judge(SOUND, case, command, outcome, folder)
            rows.append((command.name, outcome.status, more))
            findings += [f"{command.name}: {what}: {outcome.err[-300:].strip()!r}" for what in found]
        if OPTIONS.keep and (findings or OPTIONS.only is not None):
            OPTIONS.keep.mkdir(parents=True, exist_ok=True)
            for file, data in case.files.items():
                (OPTIONS.keep / f"{OPTIONS.kind}.{OPTIONS.seed}.{number}.{file}").write_bytes(data)
    return number, case.name, rows, findings


def replay(numbers):
    """Findings of many cases whose files one process reads."""
    cases = [Case(SOUND, OPTIONS.kind, OPTIONS.seed, number) for number in numbers]
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name:
        folder = pathlib.Path(name)
        for case in cases:
            (folder / f"{case.number}").write_bytes(case.files[case.file])
        outcome = subprocess.run([OPTIONS.replay, folder], capture_output=True, timeout=program.TIMEOUT * 10, check=False)
    if outcome.returncode == 0 and not outcome.stderr:
        return []
    if len(cases) > 1:
        return [row for number in numbers for row in replay([number])]
    if OPTIONS.keep:
        OPTIONS.keep.mkdir(parents=True, exist_ok=True)
        (OPTIONS.keep / f"{OPTIONS.kind}.{OPTIONS.seed}.{numbers[0]}").write_bytes(cases[0].files[cases[0].file])
    return [(numbers[0], f"status {outcome.returncode}: {outcome.stderr[-300:]!r}")]


def replay_kind(kind):
    OPTIONS.kind = kind
    numbers = range(OPTIONS.first, OPTIONS.first + OPTIONS.count)
    parts = [numbers[i:i + 250] for i in range(0, len(numbers), 250)]
    with multiprocessing.Pool(2) as pool:
        findings = [row for rows in pool.imap(replay, parts) for row in rows]
    for number, what in findings:
        print(f"FINDING {kind} seed {OPTIONS.seed} case {number}: {what}", flush=True)
    print(f"{kind}: {len(numbers)} files from {numbers.start}, seed {OPTIONS.seed}, read in turn: {len(findings)} findings", flush=True)
    return len(findings)


def run_kind(kind):
    OPTIONS.kind = kind
    statuses, most, total = collections.Counter(), collections.Counter(), 0
    first = OPTIONS.first if OPTIONS.only is None else OPTIONS.only
    numbers = range(first, first + (OPTIONS.count if OPTIONS.only is None else 1))
    with multiprocessing.Pool(2) as pool:
        for number, name, rows, findings in pool.imap_unordered(run_case, numbers, chunksize=4):
            for command, status, more in rows:
                statuses[command, status] += 1
                most[command] = max(most[command], more)
            for finding in findings:
                print(f"FINDING {kind} seed {OPTIONS.seed} case {number} ({name}): {finding}", flush=True)
            total += len(findings)
    print(f"{kind}: {len(numbers)} files from {numbers.start}, seed {OPTIONS.seed}: {total} findings")
    for command in most:
        row = "  ".join(f"{status}: {n}" for (name, status), n in sorted(statuses.items()) if name == command)
        print(f"  {command:8} {row}  | at most {most[command] / 1024:+.1f} MiB against the sound file")
    return total


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=1000, help="files of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=["checkpoint", "tflite", "picture"], help="only these files")
    parser.add_argument("--suffix", help="only pictures with this ending, e.g. .jxl")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", type=int, help="one case's number")
    parser.add_argument("--keep", type=pathlib.Path, help="save the files that find something here")
    parser.add_argument("--in-turn", action="store_true", help="one command for each file")
    parser.add_argument("--replay", type=pathlib.Path, help="a build's replay_checkpoint")
    parser.add_argument("--no-memory-bound", dest="memory_bound", action="store_false")
    return parser.parse_args()


if __name__ == "__main__":
    OPTIONS = parse()
    kinds = OPTIONS.kind
    with tempfile.TemporaryDirectory(prefix="sealite-mutate-") as scratch_name:
        SCRATCH = pathlib.Path(scratch_name)
        (SCRATCH / "sound").mkdir()
        SOUND = Sound(program.Program(OPTIONS.binary, SCRATCH), SCRATCH / "sound")
        run = replay_kind if OPTIONS.replay else run_kind
        sys.exit(1 if sum([run(kind) for kind in kinds]) else 0)
