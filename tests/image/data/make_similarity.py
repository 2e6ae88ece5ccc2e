#!/usr/bin/env python3
"""Writes similarity.csv beside it: SSIM and PSNR of pairs of pictures as scikit-image 0.26.0 computes them.

SSIM of luma (0.299 R + 0.587 G + 0.114 B, not rounded) with Wang et al.'s window, a Gaussian of sigma 1.5 cut at 11 x 11,
and population covariances; PSNR over all samples of RGB. Needs scikit-image, which brings Pillow and numpy.
"""

import pathlib

import numpy as np
import skimage
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
PAIRS = (
    ("assets/coffee.png", "assets/coffee.watermarked.png"),
    ("tests/reference/photos/chelsea.png", "tests/reference/pixelseal_tiny.chelsea.watermarked.png"),
    ("tests/reference/photos/chelsea.png", "tests/reference/videoseal_0.0_tiny.chelsea.watermarked.png"),
    ("tests/reference/photos/cup.png", "tests/reference/chunkyseal_tiny.cup.watermarked.png"),
    ("tests/reference/photos/astronaut.png", "tests/reference/demo.astronaut.watermarked.png"),
)


def read(path):
    return np.asarray(Image.open(ROOT / path).convert("RGB"))


def main():
    assert skimage.__version__ == "0.26.0", skimage.__version__
    with open(HERE / "similarity.csv", "w", encoding="utf-8") as file:
        for one, other in PAIRS:
            a, b = read(one), read(other)
            lumas = [picture.astype(np.float64) @ [0.299, 0.587, 0.114] for picture in (a, b)]
            ssim = structural_similarity(
                *lumas, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
            print(one, other, f"{ssim:.9f}", f"{peak_signal_noise_ratio(a, b):.9f}", sep=",", file=file)


main()
