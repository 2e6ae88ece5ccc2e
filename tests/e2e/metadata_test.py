#!/usr/bin/env python3
"""metadata_test.py SEALITE WORK [--print]: pictures with rich metadata are marked, and exiftool is asked what is different.

The differences are those that docs/embedding.md lists, all of them and no other; --print shows those found.
"""
import collections
import fnmatch
import pathlib
import re
import subprocess
import sys

import metadata_pictures

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# A file's own structure: what it is, its size and coding, where in it things lie.
STRUCTURE = re.compile(r"""ExifTool:|System:|Composite:|File:(?!Comment)|JFIF:JFIFVersion|RIFF:
    |PNG:(ImageWidth|ImageHeight|BitDepth|ColorType|Compression|Filter|Interlace)$
    |QuickTime:|Meta:|ItemProp|IFD0:(ImageWidth|ImageHeight|BitsPerSample|Compression|Photometric|Strip|Samples|Rows
    |Planar|Predictor|SampleFormat|FillOrder|NewSubfileType|SubfileType|ResolutionUnit$)|XMP-xmpNote:|XMP-x:XMPToolkit
    |ExifIFD:InteropOffset|IFD0:(ExifOffset|GPSInfo)""", re.VERBOSE)
PAIRS = [(name, name) for name in ("jpg", "png", "webp", "avif", "tif")] + \
        [("jpg", name) for name in ("png", "webp", "avif", "tif")] + [("png", "jpg"), ("tif", "jpg"), ("avif", "jpg")]


def run(*arguments):
    done = subprocess.run([SEALITE, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{arguments}: {done.returncode}: {done.stderr}")
    return done.stderr


def tags(path):
    """{(group:tag): [values]}, but for the structure."""
    found = collections.defaultdict(list)
    for line in metadata_pictures.exiftool("-a", "-G1", "-s", "-u", path).decode("utf-8", "replace").splitlines():
        group, name, value = re.fullmatch(r"\[(\S+)\]\s+(\S+)\s*: ?(.*)", line).groups()
        if not STRUCTURE.match(f"{group}:{name}"):
            found[f"{group}:{name}"].append(value)
    return found


def other_axis(tag):
    """IFD0:XResolution of IFD0:YResolution."""
    turned = {"X": "Y", "Y": "X", "Width": "Height", "Height": "Width"}
    return re.sub("Width|Height|X(?=Resolution|$)|Y(?=Resolution|$)", lambda found: turned[found[0]], tag)


def difference(before, after):
    """{tag: "gone", "new", "the other axis's" or the new value}"""
    found = {}
    for tag in before.keys() | after.keys():
        if tag not in after:
            found[tag] = "gone"
        elif tag not in before:
            found[tag] = "new"
        elif sorted(before[tag]) != sorted(after[tag]) and after[tag] == before.get(other_axis(tag)):
            found[tag] = "the other axis's"
        elif sorted(before[tag]) != sorted(after[tag]):
            found[tag] = ", ".join(after[tag])[:60]
    return found


def listed():
    """The table under its heading: [(from, to, tags, what)]"""
    page = (ROOT / "docs/embedding.md").read_text()
    table = page.split("| from | to | tags | becomes |\n")[1].split("\n\n")[0]
    rows = []
    for line in table.splitlines()[1:]:
        source, target, names, what = (cell.strip() for cell in line.strip("|").split("|"))
        rows += [(s.strip(), t.strip(), n.strip("` "), what) for s in source.split(",") for t in target.split(",")
                 for n in names.split(",")]
    return rows


def main():
    work = pathlib.Path(sys.argv[2])
    sources = metadata_pictures.make(work)
    run("convert", ROOT / "assets/demo.pth", "--card", ROOT / "assets/demo.card.yaml", "--part", "embedder", "-o",
        work / "demo.tflite")
    rows, used, wrong = listed() if "--print" not in sys.argv else [], set(), []
    checked = 0
    for source, target in PAIRS:
        marked = work / f"{source}.marked.{target}"
        warnings = run("embed", work / "demo.tflite", sources[source], "-o", marked, "--message", "CD750D7D")
        before, after = tags(sources[source]), tags(marked)
        checked += len(before)
        if "--print" in sys.argv:
            print(f"{source} to {target}: {len(before)} tags\n{warnings}")
        for tag, what in sorted(difference(before, after).items()):
            if "--print" in sys.argv:
                print(f"| {source} | {target} | `{tag}` | {what} |")
                continue
            names = [i for i, row in enumerate(rows)
                     if row[0] in (source, "any") and row[1] in (target, "any") and fnmatch.fnmatchcase(tag, row[2]) and row[3] == what]
            used.update(names)
            if not names:
                wrong.append(f"{source} to {target}: {tag} becomes {what}: docs/embedding.md does not list it "
                             f"(before: {before.get(tag)}, after: {after.get(tag)})"[:400])
    wrong += [f"docs/embedding.md lists {row}, which no picture shows" for i, row in enumerate(rows) if i not in used]
    print("\n".join(wrong) or f"{len(PAIRS)} pictures, {checked} tags: the differences are those that docs/embedding.md lists")
    sys.exit(1 if wrong else 0)


SEALITE = sys.argv[1]
main()
