#!/usr/bin/env python3
"""Writes the small pictures beside it, and what Pillow reads from each as NAME.npy (HWC uint8).

pip install pillow==13.0.0 numpy, then run it. The picture itself is computed: no licence to mind. rgb.gif, rgb.ppm, rgb.jp2,
lossy.jxl and lossless_alpha.jxl, of which there is no NAME.npy, are `vips copy`s of rgb.png and alpha.png (libvips 8.14;
"lossy.jxl[distance=1]", "lossless_alpha.jxl[lossless]").
"""
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

HERE = pathlib.Path(__file__).parent
H, W = 18, 25
rng = np.random.default_rng(1)
y, x = np.mgrid[0:H, 0:W]
pixels = np.stack([x * 10, y * 14, (x * y) % 256], axis=-1).astype(np.uint8)
pixels[4:9, 5:12] = rng.integers(0, 256, (5, 7, 3))
rgb = Image.fromarray(pixels)
rgba = rgb.copy()
rgba.putalpha(Image.fromarray(rng.integers(0, 256, (H, W), dtype=np.uint8)))


def put(name, image, **options):
    image.save(HERE / name, **options)
    expect(name, np.asarray(Image.open(HERE / name).convert("RGB")))


def expect(name, array):
    np.save(HERE / f"{name}.npy", array.astype(np.uint8))


def png16(name, samples, colour_type):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", W, H, 16, colour_type, 0, 0, 0)
    (HERE / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
                              + chunk(b"IEND", b""))


put("rgb.png", rgb)
put("grey.png", rgb.convert("L"))
put("grey_alpha.png", rgba.convert("LA"))
put("alpha.png", rgba)
put("bilevel.png", rgb.convert("1"))
put("palette_transparent.png", rgb.quantize(16), transparency=3)
put("one_pixel.png", rgb.crop((3, 3, 4, 4)))
put("rgb.jpg", rgb, quality=85)
put("grey.jpg", rgb.convert("L"), quality=85)
put("progressive_422.jpg", rgb, quality=70, progressive=True, subsampling=1)
put("cmyk.jpg", rgb.convert("CMYK"), quality=90)
put("cmyk.tif", rgb.convert("CMYK"))
put("rgb.tif", rgb, compression="tiff_lzw")
put("lossy.webp", rgb, quality=80)
put("lossless_alpha.webp", rgba, lossless=True, exact=True)
put("rgb.avif", rgb.resize((64, 48)), quality=95, subsampling="4:4:4")

# A profile that swaps red and blue: Pillow ignores it, and so must we.
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
profile = profile.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
put("profile.jpg", rgb, quality=85, icc_profile=profile)
put("profile.png", rgb, icc_profile=profile)

wide = rng.integers(0, 65536, (H, W, 3), dtype=np.uint16)
png16("rgb16.png", wide, 2)
expect("rgb16.png", np.asarray(Image.open(HERE / "rgb16.png").convert("RGB")))
# Pillow clips 16-bit grey at 255, which makes it white; we keep the high byte, as Pillow does for colour.
png16("grey16.png", wide[..., :1], 0)
expect("grey16.png", np.repeat(wide[..., :1] >> 8, 3, axis=-1))
