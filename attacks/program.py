"""Runs the program and judges how it ended: shared by run.py and mutate.py."""
import os
import pathlib
import re
import signal
import subprocess
import threading
from dataclasses import dataclass

# docs/pipeline.md, "Exit statuses". 70 is a defect, 130 an interrupt: neither may come of a file.
DOCUMENTED = (0, 64, 65, 66, 69, 71, 74, 75, 78)
LINE = re.compile(r"sealite: (error|warning): .+")
TIMEOUT = 60  # seconds; nothing here takes more than a few, so this is a hang


@dataclass
class Outcome:
    status: int        # -1: ended by a signal
    signal: int
    hung: bool
    out: str
    err: str
    peak: int          # resident KiB
    seconds: float     # of all processors


class Program:
    """The program with an environment of its own: no user's cache, LiteRT from the build."""

    def __init__(self, binary, scratch, timeout=TIMEOUT):
        self.timeout = timeout
        self.binary = pathlib.Path(binary).resolve()
        self.environment = dict(os.environ, SEALITE_CACHE_DIR=str(scratch / "cache"), HOME=str(scratch))
        # As tests/e2e/run_sealite.h; a leak at the end of a process is no attack's effect.
        library = pathlib.Path(__file__).resolve().parent.parent / "build/litert/libLiteRt.so"
        self.environment.setdefault("SEALITE_LITERT", str(library))

    def run(self, arguments, folder):
        """Runs it in `folder`. A busy machine may stop it for a while: only what hangs twice does hang."""
        outcome = self.run_once(arguments, folder)
        return self.run_once(arguments, folder) if outcome.hung else outcome

    def run_once(self, arguments, folder):
        """The folder also gets its output for a moment."""
        with open(folder / ".out", "w+b") as out, open(folder / ".err", "w+b") as err:
            process = subprocess.Popen([self.binary, *arguments], cwd=folder, env=self.environment,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            # Not Popen.kill, which would wait for it itself.
            watch = threading.Timer(self.timeout, os.kill, (process.pid, signal.SIGKILL))
            watch.start()
            _, status, usage = os.wait4(process.pid, 0)
            hung = not watch.is_alive()
            watch.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)  # waited for already
            out.seek(0)
            err.seek(0)
            outcome = Outcome(process.returncode if process.returncode >= 0 else -1,
                              max(0, -process.returncode), hung, out.read().decode("utf-8", "surrogateescape"),
                              err.read().decode("utf-8", "surrogateescape"), usage.ru_maxrss,
                              usage.ru_utime + usage.ru_stime)
        os.unlink(folder / ".out")
        os.unlink(folder / ".err")
        return outcome


MARKS = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def steers_terminal(text):
    """Control characters but for the ends of lines, in either of ISO 6429's two ranges; other ends of lines, marks that
    turn the direction, and bytes that are no UTF-8."""
    return any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c in MARKS or 0xDC80 <= ord(c) <= 0xDCFF for c in text)


def defects(outcome):
    """What no file may cause, as a list of texts."""
    found = []
    if outcome.hung:
        return [f"hangs: no end after {TIMEOUT} s"]
    if outcome.signal:
        found.append(f"ended by signal {outcome.signal}")
    elif outcome.status not in DOCUMENTED:
        found.append(f"status {outcome.status} is not documented for broken files")
    lines = outcome.err.splitlines()
    errors = [line for line in lines if line.startswith("sealite: error: ")]
    if not all(LINE.fullmatch(line) for line in lines):
        found.append("standard error has other lines than errors and warnings")
    if not outcome.signal and "error" not in outcome.out and len(errors) != (outcome.status != 0):
        found.append(f"{len(errors)} error lines with status {outcome.status}")
    # JSON has rules of its own: marks are no controls there.
    out = "".join(c for c in outcome.out if c not in MARKS) if outcome.out.startswith("{") else outcome.out
    if steers_terminal(out + outcome.err):
        found.append("control characters in what it prints")
    return found
