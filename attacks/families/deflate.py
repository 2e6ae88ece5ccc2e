"""Compressed entries: bombs, streams that are longer or shorter than they say, and no streams at all."""
import zlib

from attack import CHECKPOINT, Attack
from families.opaque import IGNORED
from formats.pickle_ops import model, tensor
from formats.zip_file import Entry, build

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 64
GOOD = model(tensor())
WEIGHTS = b"\1" * 24
MIB = 1 << 20


def deflate(data, level=9):
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def packed(name, contents, stream=None, **lies):
    """A deflated entry; `stream` instead of the contents', `lies` of its headers."""
    numbers = {"method": 8, "size": len(contents), "crc": zlib.crc32(contents)} | lies
    return Entry(name, deflate(contents) if stream is None else stream, local=dict(numbers), central=dict(numbers))


def archive(pickle=None, weights=None):
    return build([pickle or packed(b"t/data.pkl", GOOD), weights or packed(b"t/data/0", WEIGHTS)])


def attacks(sound):
    yield Attack("both deflated", archive(), status=IGNORED)
    zeros = bytes(256 * MIB)
    huge = model(tensor(elements=64 * MIB, shape=(64 * MIB,), strides=(1,)))
    yield Attack("256 MiB of zeros in 256 KB", archive(packed(b"t/data.pkl", huge), packed(b"t/data/0", zeros)), status=69,
                 says=("8 times",))
    bomb = deflate(zeros)
    for name, size in (("1 KB", 24), ("16 MiB", 16 * MIB), ("4 GiB", 2**32 - 2)):
        yield Attack(f"a stream of 256 MiB that says {name}", archive(weights=packed(b"t/data/0", WEIGHTS, bomb, size=size)),
                     status=69 if size > 24 * MIB else 65)
    yield Attack("a pickle of 256 MiB", archive(packed(b"t/data.pkl", zeros)), says=("at most",))
    yield Attack("a pickle of 60 MiB", archive(packed(b"t/data.pkl", bytes(60 * MIB))), status=69, says=("8 times",))
    yield Attack("a pickle of 16 MiB of nothing", archive(packed(b"t/data.pkl", b"\x80\x02" + b"N0" * (8 * MIB - 4) + b"N.")), status=69)
    half = deflate(bytes(12 * MIB))
    names = [packed(b"t/data/%d" % i, bytes(12 * MIB), half) for i in range(20)]
    many = b"".join(b"X\2\0\0\0" + b"%02d" % i + tensor(key=str(i), elements=3 * MIB, shape=(3 * MIB,), strides=(1,)) for i in range(20))
    yield Attack("twenty entries of 12 MiB", build([packed(b"t/data.pkl", b"\x80\x02}(" + many + b"u."), *names]), status=69,
                 says=("8 times",))
    for name, stream in (("nothing", b""), ("zeros", bytes(100)), ("ones", b"\xff" * 100), ("a zlib header", zlib.compress(WEIGHTS)),
                         ("a cut stream", deflate(WEIGHTS)[:-1]), ("a stream and a byte", deflate(WEIGHTS) + b"x"),
                         ("two streams", deflate(WEIGHTS) * 2), ("a byte less", deflate(WEIGHTS[:-1])),
                         ("a byte more", deflate(WEIGHTS + b"x")), ("a reserved block", b"\x07"),
                         ("a distance before the start", b"\x63\x04\x22\x00"), ("empty blocks", b"\0\0\0\xff\xff" * 100000)):
        yield Attack(f"the weights' stream is {name}", archive(weights=packed(b"t/data/0", WEIGHTS, stream)), says=("inflate",))
        yield Attack(f"the pickle's stream is {name}", archive(packed(b"t/data.pkl", GOOD, stream)), says=("inflate",))
    yield Attack("another checksum", archive(weights=packed(b"t/data/0", WEIGHTS, crc=1)), says=("checksum",))
    yield Attack("another checksum of the pickle", archive(packed(b"t/data.pkl", GOOD, crc=1)), says=("checksum",))
    yield Attack("a name that steers the terminal", archive(weights=packed(b"t/data/0", WEIGHTS, b"")), says=("inflate",))
    yield Attack("size 0", archive(weights=packed(b"t/data/0", WEIGHTS, size=0)), says=())
