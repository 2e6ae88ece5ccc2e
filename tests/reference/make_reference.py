#!/usr/bin/env python3
"""Makes every file of this folder but the cards (*.card.yaml), this script and the README, by the reference code itself.

    make_reference.py VIDEOSEAL PACKAGES            writes them here
    make_reference.py VIDEOSEAL PACKAGES --check    makes them in a scratch folder and compares byte for byte

VIDEOSEAL is a checkout of facebookresearch/videoseal at 871eda0; PACKAGES a folder with scikit-image 0.26.0 and
scikit-learn 1.9.1, whose pictures the photos are cut from. README.md says how to get both, and what else has to be there.
"""

import argparse
import filecmp
import importlib.abc
import importlib.machinery
import pathlib
import re
import sys
import tempfile
from unittest import mock

import numpy as np
import omegaconf
import torch
import yaml
from PIL import Image
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent
ASSETS = HERE.parent.parent / "assets"
VERSIONS = {"torch": (torch, "2.13.0"), "numpy": (np, "2.4.6"), "Pillow": (Image, "13.0.0")}
PHOTOS = ("skimage/data/coffee.png", "skimage/data/chelsea.png", "skimage/data/rocket.jpg", "skimage/data/astronaut.png",
          "sklearn/datasets/images/china.jpg")  # fmt: skip
# The seed of each checkpoint, and the embedder (channels, their multiples, bottleneck blocks) that is drawn before its
# detector and thrown away: so the detectors are those of the figures in docs/, while the files hold smaller embedders.
DRAWS = {
    "chunkyseal_tiny": (100, 4, [4, 8, 16, 32], 2),
    "pixelseal_tiny": (101, 4, [2, 4, 8, 16], 2),
    "videoseal_1.0_tiny": (102, 8, [1, 2, 4, 8], 3),
    "videoseal_0.0_tiny": (103, 8, [1, 2, 4, 8], 2),
}
DEMO_MESSAGES = ("cd750d7d", "92978752", "ca983ac4", "d5b6b982")  # the first is in assets/coffee.watermarked.png
RESIZES = (("coffee", 64, 96), ("coffee", 100, 100), ("chelsea", 180, 90), ("rocket", 96, 96))


class WithoutUnused(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Empty modules for what the reference code imports and its inference does not use (augmentations, data sets, video)."""

    NAMES = {"timm", "torchvision", "av", "cv2", "requests", "pycocotools", "decord", "ffmpeg"}

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in self.NAMES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return mock.MagicMock(__path__=[], __name__=spec.name, __spec__=spec)

    def exec_module(self, module):
        pass


def read_photo(path):
    """[1, 3, H, W] in [0, 1]."""
    pixels = np.array(Image.open(path).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def write_photo(path, image):
    pixels = (image[0] * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(path, optimize=True)


def resized(image, height, width):
    return F.interpolate(image, size=(height, width), mode="bilinear", align_corners=False, antialias=True)


def save(path, array):
    np.save(path, array.numpy() if isinstance(array, torch.Tensor) else array)


def make_photos(packages, out):
    """Small pictures of odd sizes, larger and smaller than the networks' 256 x 256."""
    coffee, chelsea, rocket, astronaut, china = (Image.open(packages / name).convert("RGB") for name in PHOTOS)
    (out / "photos").mkdir(exist_ok=True)
    coffee.crop((150, 120, 450, 240)).save(out / "photos/cup.png", optimize=True)
    chelsea.crop((115, 30, 340, 190)).save(out / "photos/chelsea.png", optimize=True)
    astronaut.crop((140, 0, 332, 192)).save(out / "photos/astronaut.png", optimize=True)
    for name, photo in (("rocket", rocket), ("china", china)):
        photo.reduce(2).save(out / f"photos/{name}.jpg", quality=90, subsampling=0)


def make_images(packages, out):
    """Inputs of the networks: the whole photos, and one of noise or one photo more."""
    photos = [read_photo(packages / name) for name in PHOTOS[:4]]
    generator = torch.Generator().manual_seed(1)
    images = torch.cat([resized(photo, 256, 256) for photo in photos[:3]])
    noise = torch.randint(0, 256, (1, 3, 256, 256), dtype=torch.uint8, generator=generator)
    large = torch.cat([(images * 255).round().byte(), noise])
    small = torch.cat([resized(photo, 64, 64) for photo in photos])
    save(out / "images_256.npy", large)
    save(out / "images_64.npy", small)
    return large.float() / 255, small


def draw(module, generator, bits):
    """Random values for each tensor in the order of state_dict, absolute and relative positions last."""
    tied, late = set(), []
    for name, tensor in module.state_dict().items():
        if tensor.data_ptr() in tied or not tensor.is_floating_point():
            continue
        tied.add(tensor.data_ptr())
        if "pos_embed" in name or "rel_pos" in name:
            late.append((tensor, 0.2 if "pos_embed" in name else 0.1))
            continue
        values = torch.randn(tensor.shape, generator=generator)
        if "msg_embeddings" in name:
            values /= bits**0.5
        elif ".grn." in name:
            values *= 0.5
        elif name.endswith("running_var"):
            values = torch.exp(0.3 * values)
        elif name.endswith("running_mean"):
            values *= 0.2
        elif name.endswith("bias"):
            values *= 0.1
        elif tensor.dim() == 1 or name.endswith("gamma"):
            values = torch.add(torch.ones(()), values, alpha=0.2)
        else:
            gain = 0.8 if "res_conv" in name else 2**0.5 if "double_conv" in name else 1
            values *= gain / tensor[0].numel() ** 0.5
        tensor.copy_(values)
    for tensor, spread in late:
        tensor.copy_(spread * torch.randn(tensor.shape, generator=generator))


def build(card, weights=None):
    """The reference's model of a card."""
    from videoseal.augmentation.augmenter import get_dummy_augmenter
    from videoseal.models import Videoseal, build_embedder, build_extractor
    from videoseal.modules.jnd import JND

    card = omegaconf.OmegaConf.create(card)
    args = card.args
    embedder = build_embedder(card.embedder.model, card.embedder.params, args.nbits, args.hidden_size_multiplier)
    extractor = build_extractor(card.extractor.model, card.extractor.params, args.img_size_proc, args.nbits)
    jnd = re.fullmatch(r"jnd_(\d)_(\d)", args.attenuation)
    model = Videoseal(
        embedder, extractor, get_dummy_augmenter(), JND(int(jnd[1]), int(jnd[2])) if jnd else None,
        args.scaling_w, args.scaling_i, img_size=args.img_size_proc, chunk_size=args.videoseal_chunk_size,
        step_size=args.videoseal_step_size,
    )  # fmt: skip
    if weights:
        model.load_state_dict(weights)
    return model.eval()


def make_model(name, card):
    seed, channels, multiples, blocks = DRAWS[name]
    generator = torch.Generator().manual_seed(seed)
    bits = card["args"]["nbits"]
    unet = {"z_channels": channels, "z_channels_mults": multiples, "num_blocks": blocks}
    params = card["embedder"]["params"] | {"unet": card["embedder"]["params"]["unet"] | unet}
    thrown_away = build(card | {"embedder": card["embedder"] | {"params": params}})
    draw(thrown_away.embedder, generator, bits)
    model = build(card)
    draw(model.detector, generator, bits)
    draw(model.embedder, generator, bits)
    return model


def make_checkpoint(name, card, model, out):
    names = {"embedder_config": "configs/embedder.yaml", "extractor_config": "configs/extractor.yaml"}
    models = {"embedder_model": card["embedder"]["model"], "extractor_model": card["extractor"]["model"]}
    args = card["args"] | names | models
    weights = model.state_dict()
    if name != "chunkyseal_tiny":
        torch.save({"epoch": 601, "model": weights, "args": args}, out / f"{name}.pth")
        return
    # A trainer's own file; AdamW with the small parameters only, and args as a text.
    small = [torch.nn.Parameter(p.clone()) for p in model.parameters() if p.requires_grad and p.dim() == 1]
    optimizer = torch.optim.AdamW(small, lr=1e-4)
    for parameter in small:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    text = omegaconf.OmegaConf.to_yaml(omegaconf.OmegaConf.create(args))
    trained = {"epoch": 601, "model": weights, "discriminator": {}, "optimizer": optimizer.state_dict(),
               "scheduler": None, "args": text}  # fmt: skip
    torch.save(trained, out / f"{name}.pth")
    detector = {key: tensor for key, tensor in weights.items() if key.startswith("detector.")}
    torch.save({"model": detector, "args": args}, out / f"{name}_detector_only.pth")


def make_outputs(name, model, images, small, messages, out):
    """What the networks compute from the images; logits [4, 1 + bits], deltas [4, C, 64, 64]."""
    save(out / f"{name}.messages.npy", messages)
    save(out / f"{name}.detector_logits.npy", model.detector(images))
    given = model.rgb2yuv(small)[:, :1] if model.embedder.yuv else small
    save(out / f"{name}.embedder_delta.npy", model.embedder(given, messages))


def make_pictures(name, model, messages, photos, out):
    """The whole pipeline on the photos: marked PNGs and what is read in them."""
    for photo, row in photos.items():
        image = read_photo(out / "photos" / f"{photo}.png")
        save(out / f"{name}.{photo}.logits_clean.npy", model.detect(image, is_video=False)["preds"])
        for lowres in (False, True) if model.attenuation and name != "demo" else (False,):
            found = model.embed(image, messages[row : row + 1], is_video=False, lowres_attenuation=lowres)
            path = out / f"{name}.{photo}.watermarked{'_lowres' if lowres else ''}.png"
            write_photo(path, found["imgs_w"])
            if lowres:
                continue
            marked = model.detect(read_photo(path), is_video=False)["preds"]
            save(out / f"{name}.{photo}.logits_watermarked.npy", marked)
            if name == "pixelseal_tiny" and photo == "cup":
                save(out / f"{name}.{photo}.preds_w.npy", found["preds_w"])
                save(out / f"jnd_heatmap.{photo}.npy", model.attenuation.heatmaps(image))
    coffee = model.detect(read_photo(ASSETS / "coffee.png"), is_video=False)["preds"]
    save(out / f"{name}.coffee.logits_clean.npy", coffee)


@torch.no_grad()
def make_everything(packages, out):
    make_photos(packages, out)
    images, small = make_images(packages, out)
    for photo, height, width in RESIZES:
        path = next(path for path in (ASSETS / f"{photo}.png", *(out / "photos").glob(f"{photo}.*")) if path.exists())
        save(out / f"resize.{photo}.{height}x{width}.npy", resized(read_photo(path), height, width))
    for name in DRAWS:
        card = yaml.safe_load((HERE / f"{name}.card.yaml").read_text())
        model = make_model(name, card)
        make_checkpoint(name, card, model, out)
        generator = torch.Generator().manual_seed(200 + DRAWS[name][0])
        messages = torch.randint(0, 2, (4, card["args"]["nbits"]), dtype=torch.uint8, generator=generator)
        make_outputs(name, model, images, small, messages, out)
        make_pictures(name, model, messages, {"chelsea": 0, "cup": 0}, out)
        print(name)
    card = yaml.safe_load((ASSETS / "demo.card.yaml").read_text())
    model = build(card, torch.load(ASSETS / "demo.pth", weights_only=True)["model"])
    messages = torch.from_numpy(np.unpackbits(np.frombuffer(bytes.fromhex("".join(DEMO_MESSAGES)), np.uint8)))
    messages = messages.reshape(4, 32)
    make_outputs("demo", model, small, small, messages, out)
    make_pictures("demo", model, messages, {"astronaut": 3}, out)
    marked = model.detect(read_photo(ASSETS / "coffee.watermarked.png"), is_video=False)["preds"]
    save(out / "demo.coffee.logits_watermarked.npy", marked)
    print("demo")


def difference(made, kept):
    if not kept.exists():
        return "not committed"
    if made.suffix == ".npy":
        return f"largest difference {np.abs(np.load(made).astype(float) - np.load(kept).astype(float)).max():.1e}"
    return "other bytes"


def check(packages):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        make_everything(packages, out)
        made = sorted(path for path in out.rglob("*") if path.is_file())
        inputs = {HERE / "README.md", HERE / "make_reference.py", *HERE.glob("*.card.yaml")}
        unmade = {p for p in HERE.rglob("*") if p.is_file()} - inputs - {HERE / p.relative_to(out) for p in made}
        bad = [f"{path}: this script does not make it" for path in sorted(unmade)]
        for path in made:
            kept = HERE / path.relative_to(out)
            if not kept.exists() or not filecmp.cmp(path, kept, shallow=False):
                bad.append(f"{kept}: {difference(path, kept)}")
        print("\n".join(bad) or f"{len(made)} files, byte for byte those in {HERE}")
        return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videoseal", type=pathlib.Path)
    parser.add_argument("packages", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    for name, (module, wanted) in VERSIONS.items():
        if module.__version__.split("+")[0] != wanted:
            print(f"{name} is {module.__version__}, not {wanted}: the last bits may differ", file=sys.stderr)
    torch.set_num_threads(1)
    sys.meta_path.insert(0, WithoutUnused())
    sys.path.insert(0, str(options.videoseal))
    if options.check:
        sys.exit(check(options.packages))
    make_everything(options.packages, HERE)


if __name__ == "__main__":
    main()
