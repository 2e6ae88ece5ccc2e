#!/usr/bin/env python3
"""Searches for the inputs that cost the program most, reader by reader, and prints a table of what it found.

    attacks/costs.py BINARY [--bytes 1048576] [--reader WORDS ...] [--steps 12] [--keep DIR]

Each generator of costs_inputs.py makes a file from a few numbers. The search starts from small numbers, multiplies
and divides them as long as the file stays within --bytes and the cost grows, once for time (of all processors) and
once for memory (the resident peak), both less the same command's on a sound file. Files that are refused count, too.
"""
import argparse
import multiprocessing
import pathlib
import struct
import tempfile

import costs_inputs
import program
import valid_files


class Meter:
    """What one command costs with a file; files that were measured are not measured again."""

    def __init__(self, binary, folder, options):
        self.program = program.Program(binary, folder, timeout=900)
        self.folder = folder
        self.options = options
        self.sound = valid_files.small_files(self.program, folder / "sound")
        # 256 bits: candidates may be texts.
        (self.sound / "wide.yaml").write_text(valid_files.SMALL_CARD.replace("nbits: 6", "nbits: 256"))
        for words in (["make-checkpoint", "--card", "wide.yaml", "--part", "detector", "-o", "wide.pth"],
                      ["convert", "wide.pth", "--card", "wide.yaml", "-o", "wide.tflite"]):
            valid_files.make(self.program, self.sound, words)
        (self.sound / "list.txt").write_text("00" * 32 + "\n")
        (self.sound / "rgb.png").write_bytes(valid_files.PHOTO.read_bytes())
        self.known = {}
        # Linux counts the pages of a parent in the peak of what it starts, and this process makes large files.
        self.pool = multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=16)

    def cost(self, space, data):
        """`data`: the file, or by name the files beside the one without a name."""
        files = data if isinstance(data, dict) else {"": data}
        path = self.folder / ("input" + space.suffix)
        for name, contents in files.items():
            (self.folder / name if name else path).write_bytes(contents)
        words = [w.format(file=path, sound=self.sound, photo=valid_files.PHOTO) for w in space.command]
        outcome = self.pool.apply(self.program.run_once, (words, self.folder))
        for made in [*self.folder.glob("o.*"), *(self.folder / name for name in files if name)]:
            made.unlink()
        return outcome

    def measure(self, space, numbers):
        key = space, tuple(sorted(numbers.items()))
        if key not in self.known:
            try:
                data = space.make(**numbers)
            except (struct.error, OverflowError):  # a number that the format has no place for
                data = None
            size = sum(map(len, data.values())) if isinstance(data, dict) else len(data or b"")
            if data is None or size > self.options.bytes:
                self.known[key] = None
            else:
                outcome = self.cost(space, data)
                if outcome.signal or outcome.status not in (*program.DOCUMENTED, 1, 2):  # verdicts of verify, too
                    print(f"FINDING {space.reader}: {space.name} {numbers}: status {outcome.status}, signal "
                          f"{outcome.signal}: {outcome.err[-200:]!r}", flush=True)
                self.known[key] = outcome, size
                if self.options.keep:
                    self.keep(space, numbers, data)
        return self.known[key]

    def keep(self, space, numbers, data):
        self.options.keep.mkdir(parents=True, exist_ok=True)
        name = "_".join([space.reader, space.name, *(str(v) for v in numbers.values())]).replace(" ", "_").replace("/", "_")
        (self.options.keep / (name + space.suffix)).write_bytes(data[""] if isinstance(data, dict) else data)


def clipped(space, name, value):
    return min(value, space.most.get(name, value))


def starts(meter, space):
    """What the file's size allows of each number alone, and of all together: small files cost too little to compare."""
    for names in [[name] for name in space.numbers] + [list(space.numbers)]:
        numbers = dict(space.numbers)
        while True:
            larger = numbers | {name: clipped(space, name, 8 * numbers[name]) for name in names}
            if larger == numbers or not meter.measure(space, larger):
                break
            numbers = larger
        yield numbers


def climb(meter, space, score):
    """The numbers of the highest score: one of them at a time is multiplied, or divided, while that helps."""
    value_of = lambda numbers: score(meter.measure(space, numbers)[0])
    best = max(starts(meter, space), key=value_of)
    factors = [4.0, 2.0, 1.2]
    for _ in range(meter.options.steps):
        tries = [best | {name: clipped(space, name, max(1, round(changed)))} for name, value in best.items()
                 for changed in (value * factors[0], value / factors[0])]
        # Two at a time, in opposite directions: the file keeps its size.
        tries += [best | {a: clipped(space, a, round(best[a] * factors[0])), b: max(1, round(best[b] / factors[0]))}
                  for a in best for b in best if a != b]
        better = max((t for t in tries if meter.measure(space, t)), key=value_of, default=best)
        if value_of(better) > value_of(best) * 1.05:
            best = better
        elif len(factors) > 1:
            factors.pop(0)
        else:
            break
    return best, meter.measure(space, best)


def search(meter, space, base):
    seconds = lambda outcome: outcome.seconds
    peak = lambda outcome: outcome.peak
    rows = []
    for what, score in (("time", seconds), ("memory", peak)):
        numbers, (outcome, size) = climb(meter, space, score)
        rows.append({"reader": space.reader, "what": what, "name": space.name, "numbers": numbers, "bytes": size,
                     "seconds": outcome.seconds - base.seconds, "mib": (outcome.peak - base.peak) / 1024,
                     "status": outcome.status})
        row = rows[-1]
        print(f"{space.reader:16} {space.name:44} {what:6} {size:8} bytes {row['seconds']:8.2f} s {row['mib']:8.1f} MiB  "
              f"status {outcome.status}  {numbers}", flush=True)
    return rows


def table(rows):
    print("\n| reader | bytes in | seconds more | MiB more | status | the input |\n| --- | --- | --- | --- | --- | --- |")
    for reader in dict.fromkeys(row["reader"] for row in rows):
        for what, key in (("time", "seconds"), ("memory", "mib")):
            worst = max((r for r in rows if r["reader"] == reader), key=lambda r: r[key])
            numbers = ", ".join(f"{k} {v:,}" for k, v in worst["numbers"].items())
            print(f"| {reader}, {what} | {worst['bytes']:,} | {worst['seconds']:.2f} | {worst['mib']:.0f} | {worst['status']} | "
                  f"{worst['name']}: {numbers} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--bytes", type=int, default=1 << 20, help="the largest input")
    parser.add_argument("--reader", nargs="+", default=[""], help="readers with one of these words in their names")
    parser.add_argument("--steps", type=int, default=12, help="of each search at most")
    parser.add_argument("--keep", type=pathlib.Path, help="save every input here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealite-costs-") as name:
        folder = pathlib.Path(name)
        (folder / "sound").mkdir()
        meter = Meter(options.binary, folder, options)
        rows, bases = [], {}
        for space in costs_inputs.spaces():
            if not any(words in space.reader for words in options.reader):
                continue
            key = space.sound, space.command
            if key not in bases:
                bases[key] = meter.cost(space, (meter.sound / space.sound).read_bytes())
            rows += search(meter, space, bases[key])
        table(rows)


if __name__ == "__main__":
    main()
