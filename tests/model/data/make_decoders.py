#!/usr/bin/env python3
"""Makes decoder_*.pth: pixel decoders with random weights, an input and PyTorch's own answer to it.

Every variant of detector.pixel_decoder (docs: models.md section 2) out of torch.nn modules, run in float64 (torch
2.13). Beside its weights each file holds `latents` [N,C,H,W] and `logits` ([N,1+bits], pixelwise [N,1+bits,H,W]).
"""

import pathlib

import torch
from torch import nn

CHANNELS, BITS = 16, 5


class ChannelNorm(nn.Module):
    """LayerNorm over axis 1, by PyTorch's own layer_norm."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        last = nn.functional.layer_norm(x.movedim(1, -1), self.weight.shape, self.weight, self.bias, 1e-6)
        return last.movedim(-1, 1)


class Stage(nn.Module):
    def __init__(self, kind, channels, out, factor):
        super().__init__()
        if kind in ("nearest", "bilinear"):
            mode = {"mode": "nearest"} if kind == "nearest" else {"mode": "bilinear", "align_corners": False}
            layers = [nn.Upsample(scale_factor=factor, **mode), nn.ReflectionPad2d(1),
                      nn.Conv2d(channels, out, 3, bias=False), ChannelNorm(out), nn.GELU()]
        elif kind == "conv":
            layers = [nn.ConvTranspose2d(channels, out, factor, stride=factor), ChannelNorm(out), nn.GELU()]
        else:
            layers = [nn.Conv2d(channels, out * factor**2, 1, bias=False), ChannelNorm(out * factor**2), nn.GELU(),
                      nn.PixelShuffle(factor)]
        self.upsample_block = nn.Sequential(*layers)

    def forward(self, x):
        return self.upsample_block(x)


class Decoder(nn.Module):
    def __init__(self, kind, factors, pixelwise, sigmoid):
        super().__init__()
        channels, stages = CHANNELS, []
        for factor in factors:
            stages.append(Stage(kind, channels, channels // factor, factor))
            channels //= factor
        self.output_upscaling = nn.Sequential(*stages)
        self.linear = nn.Conv2d(channels, 1 + BITS, 1) if pixelwise else nn.Linear(channels, 1 + BITS)
        self.pixelwise, self.sigmoid = pixelwise, sigmoid

    def forward(self, x):
        x = self.output_upscaling(x)
        x = self.linear(x if self.pixelwise else x.mean(dim=(-2, -1)))
        return torch.sigmoid(x) if self.sigmoid else x


VARIANTS = {  # name: (upscale_type, upscale_stages, pixelwise, sigmoid_output)
    "bilinear_1": ("bilinear", [1], False, False),
    "bilinear_2": ("bilinear", [2], False, False),
    "bilinear_2_pixelwise": ("bilinear", [2], True, False),
    "nearest_2": ("nearest", [2], False, True),
    "nearest_2_2_pixelwise": ("nearest", [2, 2], True, True),
    "conv_2_pixelwise": ("conv", [2], True, False),
    "conv_1_2": ("conv", [1, 2], False, False),
    "pixelshuffle_2_pixelwise": ("pixelshuffle", [2], True, False),
    "pixelshuffle_2_1": ("pixelshuffle", [2, 1], False, False),
}


def main():
    folder = pathlib.Path(__file__).parent
    for seed, (name, variant) in enumerate(VARIANTS.items()):
        torch.manual_seed(seed)
        decoder = Decoder(*variant)
        for key, parameter in decoder.named_parameters():
            center = 1.0 if "upsample_block" in key and key.endswith("weight") and parameter.dim() == 1 else 0.0
            nn.init.uniform_(parameter, center - 0.3, center + 0.3)
        latents = torch.randn(2, CHANNELS, 3, 4)
        state = {f"detector.pixel_decoder.{key}": tensor.clone() for key, tensor in decoder.state_dict().items()}
        with torch.no_grad():
            logits = decoder.double()(latents.double()).float()
        torch.save({"model": {**state, "latents": latents, "logits": logits}}, folder / f"decoder_{name}.pth")


if __name__ == "__main__":
    main()
