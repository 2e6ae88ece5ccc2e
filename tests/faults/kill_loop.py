#!/usr/bin/env python3
"""Ends sealite at random moments of its work and checks what is left.

usage: kill_loop.py SEALITE --command NAME [--runs 60] [--signal KILL|INT|TERM|stop|random] [--seed N]
                    [--no-tmpfile FAULTY.so]

stop: INT or TERM; random: KILL too. The moments are spread over the command's usual time, and a little more. After
every run the output is absent or complete (the complete one was verified by `sealite verify`), an older file (every
second run has one) is still there or replaced, and the inputs are as they were. After KILL a file of a recognisable
name may be left (.NAME.PID.partial), after INT and TERM none. --no-tmpfile: as on a file system that knows no files
without a name. The seed is printed; exit status 1 if anything did not hold.
"""
import argparse
import collections
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from workbench import COMMANDS, Outcome, Workbench, is_leftover

INTERRUPTED = 130  # sealite::ErrorCode
CHOICES = {"KILL": ["KILL"], "INT": ["INT"], "TERM": ["TERM"], "stop": ["INT", "TERM"]}
CHOICES["random"] = ["KILL", "INT", "TERM"]


def check_end(name: str, outcome: Outcome, killed: int) -> list:
    if outcome.signal:  # INT and TERM end it so only before main has begun
        return [] if outcome.signal == killed else ["another signal"]
    if outcome.status == INTERRUPTED and name != "KILL":
        right = outcome.err.startswith("sealite: error: interrupted") and outcome.err.count("\n") == 1
        return [] if right else ["not the error of an interrupt"]
    return [] if outcome.status == 0 else ["the status"]


def kill_once(bench: Workbench, name: str, delay: float, older: bool, environment: dict):
    out = bench.new_out(older)
    process = bench.start(out, **environment)
    time.sleep(delay)
    killed = getattr(signal, "SIG" + name)
    process.send_signal(killed)
    sent = time.monotonic()
    outcome = bench.finish(process)
    seconds = time.monotonic() - sent
    found = bench.problems(out, older, leftovers=name == "KILL")
    found += check_end(name, outcome, killed)
    present = bench.present(out)
    if outcome.status == 0 and present != set(bench.command.outputs):
        found.append("success without the files")
    if outcome.status == INTERRUPTED and present and len(bench.command.outputs) == 1:
        found.append("interrupted, and yet a file")
    left = sum(is_leftover(file, bench.command.outputs) for file in bench.files(out))
    shutil.rmtree(out)
    if outcome.signal:
        end = f"ended by {name}, " + ("the new file there" if present else "no new file")
    else:
        end = f"{name}, status {outcome.status}"
    return end, left, seconds, [f"{problem} ({outcome})" for problem in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sealite")
    parser.add_argument("--command", choices=COMMANDS, required=True)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--signal", choices=CHOICES, default="random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-tmpfile", metavar="FAULTY.so")
    options = parser.parse_args()
    bench = Workbench(options.sealite, options.command)
    environment = {}
    if options.no_tmpfile:
        environment = {"LD_PRELOAD": str(Path(options.no_tmpfile).resolve()), "SEALITE_FAULT_NO_TMPFILE": "1"}
    try:
        usual = bench.usual_seconds()
        draw = random.Random(options.seed)
        ends = collections.Counter()
        leftovers = bad = slowest = 0
        for number in range(options.runs):
            name = draw.choice(CHOICES[options.signal])
            delay = usual * 1.15 * draw.random()
            end, left, seconds, problems = kill_once(bench, name, delay, number % 2 == 1, environment)
            ends[end] += 1
            slowest = max(slowest, seconds)
            leftovers += left
            bad += bool(problems)
            for problem in problems:
                print(f"run {number}, {name} after {delay * 1000:.1f} ms: {problem}", flush=True)
        damaged = bench.report_damaged_inputs()
        for end, count in sorted(ends.items()):
            print(f"{options.command}: {count} x {end}")
        print(f"{options.command}: {options.runs} runs of usually {usual * 1000:.0f} ms, seed {options.seed}, "
              f"ended {slowest * 1000:.0f} ms after the signal at the latest, "
              f"{leftovers} leftovers with a recognisable name, {bad} runs not as promised")
        return 1 if bad or damaged else 0
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main())
