"""Indexes of models in several files: names that lead out of the folder, and JSON that is none."""
import json

from attack import CHECKPOINT, Attack

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".index.json", CHECKPOINT, 64

OUTSIDE = ["/etc/passwd", "../sound/small.pth", "../../../../../../etc/passwd", "..", ".", "", "./small.pth", "a/../../x",
           "sound/small.pth", "\\\\host\\share", "..\\small.pth", "C:\\x", "small.pth\0", "\0", "x" * 300, "/dev/zero",
           "/proc/self/mem", "//etc/passwd", "%2e%2e%2fetc%2fpasswd/", "\u202e/x", "\x1b[2J/"]


def index(places, **more):
    return json.dumps({"metadata": {"total_size": 24}, "weight_map": places, **more}).encode()


def attacks(sound):
    for name in OUTSIDE:
        yield Attack(f"a shard {name[:30]!r}", index({"w": name}), says=("own folder",))
        yield Attack(f"a second shard {name[:30]!r}", index({"a": "not-there.safetensors", "w": name}), says=("own folder",))
    yield Attack("a shard that is not there", index({"w": "not-there.safetensors"}), status=66, says=("cannot open",))
    yield Attack("a shard whose name steers the terminal", index({"w": "\x1b[2J\x9b\u202e"}), status=66, says=("cannot open",))
    yield Attack("5,000 shards", index({f"w{i}": f"{i}.bin" for i in range(5000)}), says=("more than",))
    yield Attack("no tensors", index({}), status=69, says=("empty",))
    for name, text in (("a list", '{"weight_map": ["a"]}'), ("a number", '{"weight_map": {"w": 1}}'),
                       ("null", '{"weight_map": {"w": null}}'), ("a list of files", '{"weight_map": {"w": ["a"]}}'),
                       ("an object", '{"weight_map": {"w": {"a": "b"}}}'), ("twice", '{"weight_map": {"w": "a", "w": "b"}}'),
                       ("cut", '{"weight_map": {"w": "a"'), ("nested", '{"weight_map": ' + '{"a":' * 100000),
                       ("lists", '{"x": ' + "[" * 1000000 + ', "weight_map"'), ("no UTF-8", '{"weight_map": {"\udcff": "a"}}'),
                       ("two of them", '{"weight_map": {}, "weight_map": {"w": "/etc/passwd"}}')):
        yield Attack(f"the map is {name}", text.encode("utf-8", "surrogateescape"))
    yield Attack("200,000 tensors of a shard that is not there", index({f"w{i}": "a.bin" for i in range(200000)}), status=66)
    yield Attack("17 MiB", b'{"weight_map": {}}'.ljust(17 << 20), status=69, says=("JSON",))
