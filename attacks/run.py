#!/usr/bin/env python3
"""Gives every known hostile file to the program, and checks that each is refused as it should be.

    attacks/run.py BINARY [FAMILY ...] [--only WORDS] [--keep DIR] [--in-turn] [--no-memory-bound]

Families are the files in families/. Each attack is given to every command of its row; --in-turn gives an attack that all
commands must meet alike to one of them, to the next attack's the next. Status 1: an attack was not met as its row says.
"""
import argparse
import importlib
import multiprocessing
import os
import pathlib
import re
import sys
import tempfile

import program
import valid_files
from attack import MARKER

HERE = pathlib.Path(__file__).resolve().parent
FAMILIES = sorted(p.stem for p in (HERE / "families").glob("*.py"))


class Arena:
    """A folder tree around the commands: whatever appears in it, or changes, is noticed."""

    def __init__(self, root, binary):
        self.root = root
        self.sound = root / "sound"
        self.work = root / "a" / "b" / "c" / "work"  # names with ../ still end inside
        self.sound.mkdir()
        self.work.mkdir(parents=True)
        self.program = program.Program(binary, root)
        valid_files.small_files(self.program, self.sound)
        (self.sound / "rgb.png").write_bytes(valid_files.PHOTO.read_bytes())
        self.peaks = {}

    def listing(self):
        """Every file but for LiteRT's weight cache, with its size and time."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f != "cache"]
            for name in names:
                status = os.lstat(os.path.join(folder, name))
                found[os.path.relpath(os.path.join(folder, name), self.root)] = (status.st_size, status.st_mtime_ns)
        return found

    def run(self, command, file):
        arguments = [word.format(file=file, sound=self.sound, photo=valid_files.PHOTO) for word in command.arguments]
        return self.program.run(arguments, self.work)

    def peak_of_sound(self, family, command):
        """Of the same command with the sound file."""
        key = family.SOUND, command.name
        if key not in self.peaks:
            sound = self.sound / family.SOUND
            if command.name == "card":
                sound = self.sound / "small.yaml"
            elif command.name == "embed" and family.SUFFIX == ".tflite":
                sound = self.sound / "embedder.float32.tflite"
            # The reference of verify has no sound file: what it refuses must take no more than detect.
            elif command.name == "verify":
                sound = self.sound / "rgb.png"
            self.peaks[key] = self.run(command, sound).peak
            for made in self.work.glob("o.*"):
                made.unlink()
        return self.peaks[key]


def judge(arena, family, attack, command, path, memory_bound):
    """One command with one hostile file: the list of what is wrong, and the MiB beyond the sound file's."""
    before = arena.listing()
    outcome = arena.run(command, path)
    after = arena.listing()
    found = program.defects(outcome)
    expected = attack.status_of(command) if attack.status is not None else None
    if expected is not None and outcome.status != expected:
        found.append(f"status {outcome.status}, expected {expected}")
    missing = [word for word in attack.says if outcome.status != 0 and word not in outcome.err]
    if missing:
        found.append(f"its error does not say {missing}")
    made = {name for name in after if after[name] != before.get(name)}
    if outcome.status == 0 and command.output:
        made.discard(os.path.relpath(arena.work / command.output, arena.root))
    if made or before.keys() - after.keys():
        found.append(f"files made, changed or removed: {sorted(made | (before.keys() - after.keys()))}")
    if any(MARKER in name for name in after):
        found.append("a program inside the file was run")
    if path.read_bytes() != attack.data:
        found.append("the input was changed")
    for name in arena.work.iterdir():
        if name != path:
            name.unlink()
    more = (outcome.peak - arena.peak_of_sound(family, command)) / 1024
    if memory_bound and more > family.MEMORY:
        found.append(f"{more:.0f} MiB more than for the sound file, at most {family.MEMORY} are allowed")
    return [f"{what}: {outcome.err[-300:].strip()!r}" for what in found], more


def commands_of(family, attack, number, in_turn):
    commands = attack.commands or family.COMMANDS
    alike = not isinstance(attack.status, dict)
    return [commands[number % len(commands)]] if in_turn and alike else commands


def run_family(arena, name, options):
    family = importlib.import_module(f"families.{name}")
    count, runs, failures, most = 0, 0, 0, 0.0
    for attack in family.attacks(lambda file: (arena.sound / file).read_bytes()):
        if options.only and options.only not in attack.name:
            continue
        count += 1
        suffix = attack.suffix or family.SUFFIX
        path = arena.work / ("hostile" + suffix)
        path.write_bytes(attack.data)
        for command in commands_of(family, attack, count, options.in_turn):
            found, more = judge(arena, family, attack, command, path, options.memory_bound)
            runs, most = runs + 1, max(most, more)
            for what in found:
                failures += 1
                print(f"FAILED {name}: {attack.name}: {command.name}: {what}", flush=True)
            if found and options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / re.sub(r"\W+", "_", f"{name} {attack.name}")).with_suffix(suffix).write_bytes(attack.data)
        path.unlink()
    print(f"{name:12} {count:5} attacks  {runs:5} runs  {failures:3} failures  {most:+7.1f} MiB at most", flush=True)
    return count, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help="default: all of " + ", ".join(FAMILIES))
    parser.add_argument("--only", help="attacks with these words in their names")
    parser.add_argument("--keep", type=pathlib.Path, help="save the files of failed attacks here")
    parser.add_argument("--in-turn", action="store_true", help="one command for each attack, if all must meet it alike")
    parser.add_argument("--no-memory-bound", dest="memory_bound", action="store_false", help="for sanitizers")
    options = parser.parse_args()
    unknown = set(options.families) - set(FAMILIES)
    if unknown:
        parser.error(f"no families {sorted(unknown)}; there are {', '.join(FAMILIES)}")
    with tempfile.TemporaryDirectory(prefix="sealite-attacks-") as name:
        arena = Arena(pathlib.Path(name), options.binary)
        # Each family in a process of its own: Linux counts the pages of a parent in the peak of what it starts, and some
        # families make large files.
        jobs = [(arena, family, options) for family in options.families or FAMILIES]
        with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
            counts = pool.starmap(run_family, jobs, chunksize=1)
    if not any(count for count, _ in counts):
        parser.error(f"no attack has '{options.only}' in its name")
    sys.exit(1 if any(failures for _, failures in counts) else 0)


if __name__ == "__main__":
    main()
