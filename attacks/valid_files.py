"""Makes the sound files that attacks and mutations start from."""
import pathlib

from formats import containers

ROOT = pathlib.Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
PHOTO = ROOT / "tests/image/data/rgb.png"  # read in no time
DEMO_CARD = ASSETS / "demo.card.yaml"
# As small as the networks get with something to quantise: mutations run thousands of times.
SMALL_CARD = """args: {nbits: 6, img_size_proc: 64}
embedder: {model: unet_x, params: {unet: {z_channels: 16, z_channels_mults: [1, 2], num_blocks: 1, in_channels: 1,
  out_channels: 1}}}
extractor: {model: convnext_tiny, params: {encoder: {depths: [1, 1, 1, 1], dims: [4, 4, 16, 32]}}}
"""
VIT_CARD = """args: {nbits: 6, img_size_proc: 32}
extractor: {model: sam_tiny, params: {encoder: {embed_dim: 8, num_heads: 2, depth: 2, patch_size: 8, window_size: 3,
  global_attn_indexes: [1], mlp_ratio: 1, out_chans: 4, use_rel_pos: true}}}
"""
RECIPES = (("float32", ()), ("int8", ("--quantize", "int8")), ("int4", ("--quantize", "int4")),
           ("fp16", ("--quantize", "fp16")), ("dynamic", ("--dynamic",)), ("nhwc", ("--layout", "nhwc")))


def make(program, folder, arguments):
    outcome = program.run([str(a) for a in arguments], folder)
    if outcome.status != 0:
        raise SystemExit(f"cannot make a sound file: {arguments}: {outcome.err}")


def small_files(program, folder):
    """A folder with small.pth, small.safetensors, small.yaml, vit.pth, detector.*.tflite, embedder.*.tflite."""
    for name, card, part in (("small", SMALL_CARD, "all"), ("vit", VIT_CARD, "detector")):
        (folder / f"{name}.yaml").write_text(card)
        make(program, folder, ["make-checkpoint", "--card", f"{name}.yaml", "--part", part, "-o", f"{name}.pth"])
    make(program, folder, ["extract", "small.pth", "--part", "all", "-o", "small.safetensors"])
    for name, data in containers.variants((folder / "small.pth").read_bytes()):
        (folder / name).write_bytes(data)
    for part in ("detector", "embedder"):
        for recipe, options in RECIPES:
            if part == "embedder" and recipe == "dynamic":
                continue
            make(program, folder, ["convert", "small.pth", "--card", "small.yaml", "--part", part, *options, "-o",
                                   f"{part}.{recipe}.tflite"])
    make(program, folder, ["convert", "vit.pth", "--card", "vit.yaml", "-o", "detector.vit.tflite"])
    return folder


def demo_model(program, folder):
    make(program, folder, ["convert", ASSETS / "demo.pth", "--card", DEMO_CARD, "-o", "demo.tflite"])
    return folder / "demo.tflite"

