#!/usr/bin/env python3
"""bench/weight_cache.py SEALITE MODEL PICTURE [ROUNDS]: what a start costs without the weight cache, when it is made and when it is used.

"loaded" is the time from the process's start until it reads the first picture; "extra" is that until the first answer, less
the time of the second picture (decoding and inference), so it has the page faults of the first run in it.
Memory is the most of /proc/PID/smaps_rollup, asked every 20 ms: "dirty" is Private_Dirty,
"clean" is Private_Clean, pages of files that the kernel drops when it wants to; "anonymous" has no file at all.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


def one(command, environment):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    most = {}
    output = [] if environment["MEMORY"] else [process.stdout.readline()]
    answered = time.perf_counter() - start
    while environment["MEMORY"] and process.poll() is None:
        try:
            text = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except OSError:
            text = ""
        for line in text.splitlines()[1:]:
            name, value = line.split(":")
            most[name] = max(most.get(name, 0), int(value.split()[0]))
        time.sleep(0.02)
    lines = [json.loads(line) for line in output + process.stdout.readlines()]
    process.wait()
    first, second = (line["seconds"] for line in lines)
    return lines[0]["cache"], answered - first, answered - second, second, lines[0]["message"], most


def main():
    sealite, model, picture = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for measured in ("", "1"):
            environment = dict(os.environ, SEALITE_CACHE_DIR=f"{folder}/cache", MEMORY=measured)
            for _ in range(1 if measured else rounds):
                subprocess.run(["rm", "-rf", f"{folder}/cache"], check=True)
                for name, more in (("without", ["--no-cache"]), ("made", []), ("hit", [])):
                    if measured:
                        subprocess.run(["sync", "-f", folder], check=True)
                    found = one([sealite, "detect", model, picture, picture, "--json", *more], environment)
                    results.setdefault((name, measured), []).append(found)
        weights = [path.stat().st_size for path in pathlib.Path(folder, "cache").glob("*.weights")]
    assert len({found[4] for runs in results.values() for found in runs}) == 1, "the answers differ"
    print(f"model {os.path.getsize(model) / 2**20:.1f} MiB, packed {sum(weights) / 2**20:.1f} MiB")
    for name in ("without", "made", "hit"):
        runs = results[name, ""]
        loaded, extra, picture_time = (statistics.median(run[i] for run in runs) for i in (1, 2, 3))
        least = min(run[2] for run in runs)
        most = {key: value / 1024 for key, value in results[name, "1"][0][5].items()}
        print(f"{runs[0][0]:5} loaded {loaded:.3f} s, extra {extra:.3f} s (least {least:.3f}), picture {picture_time:.3f} s; "
              f"MiB: Rss {most['Rss']:.0f}, dirty {most['Private_Dirty']:.0f}, clean {most['Private_Clean']:.0f}, "
              f"anonymous {most['Anonymous']:.0f}")


main()
