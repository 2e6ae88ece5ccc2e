"""Changes sound files at random, mostly where they hold lengths, offsets, indices and opcodes."""
import functools
import pickletools
import re
import struct

from formats import containers, flatbuffer, pickle_ops, pictures, zip_file

INTERESTING = (0, 1, 2, 3, 4, 7, 8, 16, 64, 127, 128, 255, 256, 1024, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 2**30, 2**31 - 1,
               2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1, -1, -2, -4, -128)


# Of the few sound files: each is mutated thousands of times.
@functools.lru_cache
def opcodes_of(pickle):
    starts = [at for _, _, at in pickletools.genops(pickle)]
    return [pickle[a:b] for a, b in zip(starts, starts[1:] + [len(pickle)])]


@functools.lru_cache
def pickles_of_legacy(data):
    """The five pickles, and what follows them."""
    pickles, at = [], 0
    for _ in range(5):
        end = at + 1 + max(place for _, _, place in pickletools.genops(data[at:]))
        pickles.append(data[at:end])
        at = end
    return pickles, data[at:]


class Mutator:
    """All of one case's chances: the same generator gives the same file."""

    def __init__(self, random):
        self.random = random

    def flatbuffer(self, data):
        roll = self.random.random()
        if roll < 0.8:
            return self.fields(data)
        tables = min(len(data), 24 * 1024)  # they lie before the weights
        return self.bytes(data, tables)

    def checkpoint(self, data):
        if data[:2] == b"PK":
            return self.deflated(data) if zip_file.is_deflated(data) else self.torch_zip(data)
        if data[:1] == b"{":
            return self.token(data) if self.random.random() < 0.8 else self.bytes(data)
        if data.startswith(containers.LEGACY_HEAD):
            return self.legacy(data)
        return self.safetensors(data)

    def picture(self, data):
        """Mostly near the beginning, where sizes, kinds and boxes are; of a PNG the checksums are right again."""
        reach = self.random.choice((16, 64, 256, None, None))
        changed = self.bytes(data, reach)
        if data[:4] == b"\x89PNG" and self.random.random() < 0.8:
            return pictures.with_checksums(changed)
        return changed

    # ---- any bytes ----
    def bytes(self, data, reach=None):
        changed = bytearray(data)
        for _ in range(self.random.choice((1, 1, 1, 2, 4, 16))):
            if not changed:
                break
            self.bytes_once(changed, min(reach or len(changed), len(changed)))
        return bytes(changed)

    def bytes_once(self, changed, reach):
        r = self.random
        at = r.randrange(reach)
        size = min(r.choice((1, 2, 4, 8, 16, 64, 256)), len(changed) - at)
        how = r.choice(("flip", "flip", "number", "number", "zero", "copy", "move", "cut"))
        if how == "flip":
            changed[at] ^= 1 << r.randrange(8)
        elif how == "number":
            width = r.choice((1, 2, 4, 8))
            value = r.choice(INTERESTING) & (256 ** width - 1)
            changed[at:at + width] = value.to_bytes(width, r.choice(("little", "little", "big")))
        elif how == "zero":
            changed[at:at + size] = bytes(size)
        elif how == "copy":
            to = r.randrange(reach)
            changed[to:to + size] = changed[at:at + size]
        elif how == "move":
            block = changed[at:at + size]
            del changed[at:at + size]
            to = r.randrange(len(changed) + 1)
            changed[to:to] = block
        elif r.random() < 0.3:
            del changed[at:]

    # ---- .tflite ----
    def fields(self, data):
        """Several fields of the tables, each kind of field as likely as any other."""
        places = flatbuffer.walk(data)
        groups = {}
        for path in places:
            groups.setdefault(re.sub(r"\d+", "", path), []).append(path)
        changed = bytearray(data)
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3, 5))):
            path = self.random.choice(groups[self.random.choice(sorted(groups))])
            self.field(changed, places, path, groups)
        return bytes(changed)

    def field(self, changed, places, path, groups):
        r = self.random
        offset, kind = places[path]
        old = flatbuffer.load(changed, offset, kind)
        if kind == "f32":
            value = r.choice((0.0, -1.0, 1e-40, 3e38, float("inf"), float("nan"), old * 2))
        else:
            near = old + r.choice((-8, -4, -2, -1, 1, 2, 4, 8))
            other = places[r.choice(groups[re.sub(r"\d+", "", path)])]
            elsewhere = flatbuffer.load(changed, *other)
            value = r.choice((near, near, elsewhere, elsewhere, r.choice(INTERESTING), r.randrange(256)))
            if path.endswith("/offset"):  # what another reference of the same kind points at
                value = r.choice((value, elsewhere + other.offset - offset))
        flatbuffer.store(changed, offset, kind, value)

    # ---- .pth ----
    def torch_zip(self, data):
        name = zip_file.pickle_name(data)
        roll = self.random.random()
        if roll < 0.65:  # the checksum is right again, so that the pickle is reached
            return zip_file.rebuild(data, {name: self.pickle(zip_file.read_entry(data, name))})
        if roll < 0.9:
            return self.zip_records(data)
        return self.bytes(data)

    def deflated(self, data):
        """What is deflated, and the streams themselves."""
        name = zip_file.pickle_name(data)
        roll = self.random.random()
        if roll < 0.4:
            return zip_file.deflated_again(data, name, self.pickle(zip_file.read_entry(data, name)))
        if roll < 0.8:
            return zip_file.with_packed(data, self.random.randrange(1 << 16), lambda packed, said: (self.bytes(packed), said))
        return self.zip_records(data) if roll < 0.9 else self.bytes(data)

    def legacy(self, data):
        """The pickles one by one, and the counts before the storages."""
        pickles, storages = pickles_of_legacy(data)
        roll = self.random.random()
        if roll < 0.65:
            which = self.random.choice((1, 2, 3, 3, 3, 3, 4))
            changed = self.pickle(pickles[which])
            return b"".join([*pickles[:which], changed, *pickles[which + 1:]]) + storages
        if roll < 0.85:  # the first storage's count lies there
            return b"".join(pickles) + self.bytes(storages, 64)
        return self.bytes(data)

    def pickle(self, pickle):
        if self.random.random() < 0.2:
            return self.bytes(pickle)
        ops = list(opcodes_of(pickle))
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 8))):
            self.opcode(ops)
        return b"".join(ops)

    def opcode(self, ops):
        r = self.random
        at = r.randrange(len(ops))
        op = ops[at]
        how = r.choice(("argument", "argument", "integer", "integer", "replace", "remove", "twice", "swap", "flip"))
        if how == "argument" and len(op) > 1:
            value = r.choice(INTERESTING) & (256 ** min(8, len(op) - 1) - 1)
            ops[at] = op[:1] + value.to_bytes(min(8, len(op) - 1), "little") + op[9:]
        elif how == "integer":  # of a size, shape, stride or offset
            numbers = [i for i, o in enumerate(ops) if o[:1] in b"KMJIL\x8a"] or [at]
            i = r.choice(numbers)
            line = re.fullmatch(rb"[IL](-?\d+)L?\n", ops[i])
            old = int(line[1]) if line else int.from_bytes(ops[i][1:9], "little") if ops[i][:1] in b"KMJ" \
                else 0
            value = r.choice((old + 1, old - 1, old * 2, r.choice(INTERESTING)))
            ops[i] = b"L%dL\n" % value if line else pickle_ops.integer(value)
        elif how == "replace":
            ops[at] = bytes([r.choice(b"(.012FIJKLMNPQRSTUVX]abcdegijlopqrstuy}\x80\x81\x82\x83\x84\x85\x86\x87\x88"
                                      b"\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98")]) + op[1:]
        elif how == "remove":
            del ops[at]
            if not ops:
                ops.append(b".")
        elif how == "twice":
            ops[at:at] = ops[at:at + r.choice((1, 2, 8))] * r.choice((1, 2, 50))
        elif how == "swap":
            to = r.randrange(len(ops))
            ops[at], ops[to] = ops[to], ops[at]
        else:
            ops[at] = bytes([op[0] ^ (1 << r.randrange(8))]) + op[1:]

    def zip_records(self, data):
        """Numbers of the headers, the directory and the end records."""
        changed = bytearray(data)
        records = {b"PK\x03\x04": range(4, 30, 2), b"PK\x01\x02": range(4, 46, 2), b"PK\x05\x06": range(4, 22, 2),
                   b"PK\x06\x06": range(4, 56, 4), b"PK\x06\x07": range(4, 20, 4)}
        at = [(m.start(), records[m.group()]) for m in re.finditer(rb"PK(?:\x03\x04|\x01\x02|\x05\x06|\x06\x06|\x06\x07)", data)]
        for _ in range(self.random.choice((1, 1, 2, 3))):
            start, fields = self.random.choice(at[-8:] if self.random.random() < 0.5 else at)
            offset = start + self.random.choice(fields)
            width = self.random.choice((2, 4, 8))
            old = int.from_bytes(changed[offset:offset + width], "little")
            value = self.random.choice((old + 1, old - 1, self.random.choice(INTERESTING), self.random.randrange(65536)))
            changed[offset:offset + width] = (value & (256 ** width - 1)).to_bytes(width, "little")
        return bytes(changed)

    # ---- .safetensors ----
    def safetensors(self, data):
        size = struct.unpack_from("<Q", data)[0]
        header, rest = data[8:8 + size], data[8 + size:]
        roll = self.random.random()
        if roll < 0.15:
            return self.bytes(data, 8 + size)
        if roll < 0.25:
            return (self.random.choice(INTERESTING) & (2**64 - 1)).to_bytes(8, "little") + header + rest
        if roll < 0.5:
            header = self.bytes(header)
        else:
            for _ in range(self.random.choice((1, 1, 2, 4))):
                header = self.token(header)
        return struct.pack("<Q", len(header)) + header + rest

    def token(self, header):
        tokens = list(re.finditer(rb'-?\d+|"[^"]*"|[{}\[\],:]', header))
        if not tokens:
            return header
        one = self.random.choice(tokens)
        other = self.random.choice(tokens).group()
        new = self.random.choice((str(self.random.choice(INTERESTING)).encode(), other, b"", one.group() * 2, b"null",
                                  b"1e308", b'"\\u0000\\ud800"', b"[" * self.random.choice((1, 2000))))
        return header[:one.start()] + new + header[one.end():]
