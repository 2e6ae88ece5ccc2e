#!/usr/bin/env python3
"""compare_pixels.py ONE OTHER BEFORE: two files of 8-bit samples, marked from BEFORE, must be the same; and marked."""

import sys
from pathlib import Path

one, other, before = (Path(name).read_bytes() for name in sys.argv[1:4])
if not len(one) == len(other) == len(before) > 0:
    sys.exit(f"{len(one)}, {len(other)} and {len(before)} samples: expected the same number of each")
different = sum(a != b for a, b in zip(one, other))
changed = sum(a != b for a, b in zip(one, before))
print(f"{different} of {len(one)} samples differ; the mark changes {changed}")
if different or changed < len(one) // 10:
    sys.exit("the two builds do not mark alike")
