#!/usr/bin/env python3
"""compare_logits.py TEXT NPY LIMIT: whether the numbers in TEXT, one a line, are NPY's float32 ones to LIMIT."""

import ast
import struct
import sys

text, npy, limit = sys.argv[1], sys.argv[2], float(sys.argv[3])
found = [float(line) for line in open(text)]
data = open(npy, "rb").read()
(length,) = struct.unpack("<H", data[8:10])
header = ast.literal_eval(data[10 : 10 + length].decode())
if header["descr"] != "<f4":
    sys.exit(f"{npy}: {header['descr']}, expected float32")
values = data[10 + length :]
expected = struct.unpack(f"<{len(values) // 4}f", values)
if len(found) != len(expected):
    sys.exit(f"{len(found)} logits, expected {len(expected)}")
worst = max(abs(a - b) for a, b in zip(found, expected))
print(f"{len(found)} logits, at most {worst:.3g} from {npy} (limit {limit:g})")
sys.exit(worst > limit)
