#!/usr/bin/env python3
"""Makes each call of a kind fail in turn (faulty.cc) and checks what sealite does about it.

usage: inject.py SEALITE FAULTY.so --command NAME --calls writes|memory [--all] [--sample N] [--part K/M] [--thin M]

writes: each write, reserve, flush, close, link, rename, open for writing and line of output, with each errno and
short writes. memory: malloc and its kin, mmap and new threads, each failing alone and then with all after it. Of calls
that are made more often than --sample, that many, evenly spread, of the memory calls the last 40 as well; --all: each
one alone. --part runs every M-th of the faults, from the K-th; --thin every M-th of each call and error. Prints what the runs came to; exit status 1 if anything
did not hold.
"""
import argparse
import collections
import concurrent.futures
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from workbench import COMMANDS, Workbench, answer

FILE_CALLS = ("pwrite", "write", "ftruncate", "fallocate", "fsync", "close", "linkat", "rename", "open", "memfd_create")
STREAM_CALLS = ("stdout", "stderr")
LAST = 40  # where the answer is printed and objects end: in every sample
MEMORY_CALLS = {"alloc": "ENOMEM", "mmap": "ENOMEM", "thread": "EAGAIN"}
TEXTS = {"ENOSPC": "No space left on device", "EIO": "Input/output error"}
# sealite::ErrorCode
NO_MEMORY, IO = 71, 74
# Without memory or threads LiteRT says no more than that it cannot.
GUESTS_SAY = {0, 65, 69, 70, NO_MEMORY}


@dataclass(frozen=True)
class Fault:
    call: str
    kind: str
    number: int
    on: bool = False
    no_tmpfile: bool = False
    older: bool = False

    def environment(self, faulty: str, report: Path) -> dict:
        words = f"{self.call} {self.kind} {self.number}" + (" on" if self.on else "")
        environment = {"LD_PRELOAD": faulty, "SEALITE_FAULT": words, "SEALITE_FAULT_REPORT": str(report)}
        return dict(environment, SEALITE_FAULT_NO_TMPFILE="1") if self.no_tmpfile else environment

    def __str__(self):
        said = (("on", self.on), ("no O_TMPFILE", self.no_tmpfile), ("older", self.older))
        more = [word for word, is_said in said if is_said]
        return " ".join([self.call, self.kind, str(self.number), *more])


def read_report(path: Path) -> dict:
    return {name: int(count) for name, count in (line.split() for line in path.read_text().splitlines())}


def count_calls(bench: Workbench, faulty: str, no_tmpfile: bool) -> dict:
    out = bench.new_out()
    report = bench.folder / "counts"
    environment = {"LD_PRELOAD": faulty, "SEALITE_FAULT_REPORT": str(report)}
    if no_tmpfile:
        environment["SEALITE_FAULT_NO_TMPFILE"] = "1"
    outcome = bench.run(out, **environment)
    if outcome.status != 0:
        raise SystemExit(f"it does not run with {faulty}: {outcome}")
    shutil.rmtree(out)
    return read_report(report)


def write_faults(bench: Workbench, faulty: str, sample: int):
    """One more than there are calls: threads change the order."""
    for no_tmpfile in (False, True):
        counts = count_calls(bench, faulty, no_tmpfile)
        for call in filter(counts.get, FILE_CALLS + STREAM_CALLS):
            kinds = ["ENOSPC", "EIO"] if call in STREAM_CALLS else ["ENOSPC", "EIO", "EINTR"]
            if call in ("pwrite", "write"):
                kinds.append("SHORT")
            for which, kind in enumerate(kinds):
                step = max(1, counts[call] // sample)
                for number in sorted({*range(0, counts[call], step), counts[call] - 1, counts[call]}):
                    yield Fault(call, kind, number, no_tmpfile=no_tmpfile, older=(number + which) % 2 == 1)
                if kind != "EINTR":  # a call that is interrupted for ever is no case
                    yield Fault(call, kind, 0, on=True, no_tmpfile=no_tmpfile)


def memory_faults(bench: Workbench, faulty: str, sample: int, every: bool):
    counts = count_calls(bench, faulty, False)
    for call, kind in MEMORY_CALLS.items():
        if not counts[call]:
            continue
        step = max(1, counts[call] // sample)
        for number in range(counts[call] + 1):
            in_sample = number % step == 0 or number >= counts[call] - LAST
            if every or in_sample:
                yield Fault(call, kind, number, older=number // step % 2 == 1)
            if in_sample:
                yield Fault(call, kind, number, on=True, older=number // step % 2 == 1)


def thinned(faults: list, step: int):
    """The first of each call and error, and every `step`-th after it."""
    seen = collections.Counter()
    for fault in faults:
        kind = fault.call, fault.kind, fault.on
        if seen[kind] % step == 0:
            yield fault
        seen[kind] += 1


def allowed(fault: Fault, bench: Workbench) -> set:
    if fault.kind in ("EINTR", "SHORT") or fault.call == "stderr":
        return {0}
    if fault.call in MEMORY_CALLS:  # the threads that can be had do the work
        if bench.command.guests:
            return GUESTS_SAY
        return {0} if fault.call == "thread" else {0, NO_MEMORY}
    if fault.call == "memfd_create" or bench.command.cached:  # the cache is best effort
        return {0, IO} if fault.call == "stdout" else {0}
    # A failed open may only mean that there is no O_TMPFILE, a failed close be that of an input; and standard
    # output may be written to more often than once.
    return {IO} if fault.call in ("pwrite", "fallocate", "fsync", "linkat", "rename", "stdout") else {0, IO}


def check_message(bench: Workbench, fault: Fault, outcome) -> list:
    if fault.call == "stderr" or outcome.status == 0:
        return []
    found = []
    # LiteRT and GLib have lines of their own, which they write by themselves.
    guests = ("TensorFlow", "***MEMORY-ERROR***") if bench.command.guests else ()
    lines = [line for line in outcome.err.splitlines() if line and not any(word in line for word in guests)]
    line = "".join(lines)
    starts = ("sealite: error: ", "sealite: internal error: ") if bench.command.guests else "sealite: error: "
    if not line.startswith(starts) or len(lines) != 1:
        found.append("no error of one line")
    if fault.kind in TEXTS and fault.call in FILE_CALLS and not ("/x." in line and TEXTS[fault.kind] in line):
        found.append("the error names not the file and the cause")
    if outcome.status == NO_MEMORY and "memory" not in line:
        found.append("the error says not that memory ran out")
    return found


def check(bench: Workbench, fault: Fault, out: Path, outcome, hit: bool) -> list:
    found = bench.problems(out, fault.older)
    if outcome.signal:
        # What GLib, libvips and LiteRT do without memory is theirs: they abort.
        guests = bench.command.guests and fault.call in (*MEMORY_CALLS, "write", "ftruncate", "memfd_create")
        return found if guests else found + ["a signal"]
    if outcome.status not in (allowed(fault, bench) if hit else {0}):
        found.append("the status")
    found += check_message(bench, fault, outcome)
    present = bench.present(out)
    if outcome.status == 0:
        if present != set(bench.command.outputs):
            found.append("success without the files")
        if bench.command.answers and fault.call != "stdout" and answer(outcome.out) != bench.answer:
            found.append("another answer")
    elif present and fault.call in FILE_CALLS and len(bench.command.outputs) == 1:
        found.append("a failure, and yet a file")
    return found


def run_one(bench: Workbench, faulty: str, fault: Fault):
    out = bench.new_out(fault.older)
    report = Path(f"{out}.report")
    outcome = bench.run(out, **fault.environment(faulty, report))
    hit = not report.exists() or read_report(report)["hit"] == 1
    found = check(bench, fault, out, outcome, hit)
    if bench.command.cached and not found:  # what the fault left in the cache does no harm
        again = bench.run(out)
        if again.status != 0 or answer(again.out) != bench.answer:
            found.append(f"the next run was wrong: {again}")
    shutil.rmtree(out)
    report.unlink(missing_ok=True)
    end = signal.Signals(outcome.signal).name if outcome.signal else str(outcome.status)
    return fault, end if hit else "not reached", [f"{problem} ({outcome})" for problem in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sealite")
    parser.add_argument("faulty")
    parser.add_argument("--command", choices=COMMANDS, required=True)
    parser.add_argument("--calls", choices=("writes", "memory"), required=True)
    parser.add_argument("--sample", type=int, default=100, help="calls of a kind to fail")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--thin", type=int, default=1)
    options = parser.parse_args()
    bench = Workbench(options.sealite, options.command)
    try:
        faulty = str(Path(options.faulty).resolve())
        if options.calls == "writes":
            faults = list(write_faults(bench, faulty, sys.maxsize if options.all else options.sample))
        else:
            faults = list(memory_faults(bench, faulty, options.sample, options.all))
        first, step = map(int, options.part.split("/"))
        faults = list(thinned(faults[first::step], options.thin))
        ends = collections.defaultdict(collections.Counter)
        bad = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for fault, end, problems in pool.map(lambda fault: run_one(bench, faulty, fault), faults):
                ends[f"{fault.call} {fault.kind}{' on' if fault.on else ''}"][end] += 1
                bad += bool(problems)
                for problem in problems:
                    print(f"{options.command}: {fault}: {problem}", flush=True)
        damaged = bench.report_damaged_inputs()
        for name, counter in ends.items():
            print(f"{options.command} {name}:", ", ".join(f"{count} x {end}" for end, count in sorted(counter.items())))
        print(f"{options.command}: {len(faults)} faults, {bad} not as promised")
        return 1 if bad or damaged or not faults else 0
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main())
