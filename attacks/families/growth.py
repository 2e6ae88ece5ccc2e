"""Small files that ask for large ones: tensors that share storages and would all be written out."""
from attack import EXTRACT, INSPECT, Attack, Command
from formats.pickle_ops import tensor, text, torch_zip

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", (INSPECT,), 64
EXTRACT_FLAT = Command("flat", ("extract", "{file}", "--part", "all", "-o", "o.safetensors"), "o.safetensors")
CONVERT_ANY = Command("any", ("convert", "{file}", "-o", "o.tflite"), "o.tflite")  # the file says its own card
CHANNELS, BLOCKS = 256, 32


def strides_of(shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return strides


def model_of(rows, elements):
    """A .pth of {name: shape}, all of them views of one storage."""
    body = b"".join(text(name) + tensor(elements=elements, shape=shape, strides=strides_of(shape))
                    for name, shape in rows)
    args = text("args") + b"}" + text("extractor_model") + text("convnext_tiny") + b"s"
    return torch_zip(b"\x80\x02}(" + text("model") + b"}(" + body + b"u" + args + b"u.",
                     storages=((b"0", bytes(4 * elements)),))


def detector():
    """Names and shapes of a ConvNeXt detector with one fat stage."""
    def norm(name, size):
        return [(f"{name}.weight", (size,)), (f"{name}.bias", (size,))]

    def layer(name, *shape):
        return [(f"{name}.weight", shape), (f"{name}.bias", shape[:1])]
    dims = (4, 4, 16, CHANNELS)
    rows = layer("downsample_layers.0.0", 4, 3, 4, 4) + norm("downsample_layers.0.1", 4)
    for stage, size in enumerate(dims):
        if stage > 0:
            rows += norm(f"downsample_layers.{stage}.0", dims[stage - 1])
            rows += layer(f"downsample_layers.{stage}.1", size, dims[stage - 1], 2, 2)
        for block in range(BLOCKS if stage == 3 else 1):
            at = f"stages.{stage}.{block}"
            rows += layer(f"{at}.dwconv", size, 1, 7, 7) + norm(f"{at}.norm", size)
            rows += layer(f"{at}.pwconv1", 4 * size, size) + layer(f"{at}.pwconv2", size, 4 * size)
            rows += [(f"{at}.grn.{which}", (1, 1, 1, 4 * size)) for which in ("gamma", "beta")]
    rows = [("detector.convnext." + name, shape) for name, shape in rows]
    decoder = layer("linear", 7, CHANNELS) + norm("output_upscaling.0.upsample_block.3", CHANNELS)
    decoder += [("output_upscaling.0.upsample_block.2.weight", (CHANNELS, CHANNELS, 3, 3))]
    return rows + [("detector.pixel_decoder." + name, shape) for name, shape in decoder]


def attacks(sound):
    elements, square = 1_075_000, 1000
    refused, says = {"inspect": 0, "extract": 69, "flat": 69, "any": 69}, ("share storages",)
    commands = (INSPECT, EXTRACT, EXTRACT_FLAT)
    # Each has a size of its own, so that none is another one's copy.
    rows = [(f"detector.t{i}", (elements - i,)) for i in range(400)]
    yield Attack("400 tensors of one storage", model_of(rows, elements), refused, says, commands)
    rows = [(f"detector.t{i}", (square - i, square)) for i in range(200)]
    yield Attack("200 matrices of one storage", model_of(rows, square * square), refused, says, commands)
    # The same view under other names is written once in a .pth, and each time in a .safetensors.
    rows = [(f"detector.t{i}", (elements,)) for i in range(400)]
    yield Attack("one tensor under 400 names", model_of(rows, elements), refused | {"extract": 0}, says, commands)
    yield Attack("a detector whose weights are one storage", model_of(detector(), CHANNELS * CHANNELS * 9), refused, says,
                 (CONVERT_ANY, EXTRACT_FLAT))
