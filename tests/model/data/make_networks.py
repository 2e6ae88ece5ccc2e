#!/usr/bin/env python3
"""Makes vit_*.pth and unet_*.pth: small networks with random weights, inputs and PyTorch's own answers.

What tests/reference does not have: windows that do not divide the picture, transformers without positions, and
U-Nets with other norms and activations (docs: models.md sections 2 and 3). Out of torch.nn modules, run in float64
(torch 2.13). Each file holds its weights, `images` [N,3,H,W] in [0,1] and `logits`, or `messages` and `delta`.

    make_networks.py [--reference VIDEOSEAL]    also compares with that checkout of the reference code
"""

import argparse
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

BITS = 5
VITS = {
    "padded": dict(embed_dim=12, num_heads=3, depth=3, patch_size=4, grid=5, window_size=3, global_attn_indexes=[1],
                   mlp_ratio=2, out_chans=8, qkv_bias=True, use_rel_pos=True, use_abs_pos=True),
    "plain": dict(embed_dim=8, num_heads=2, depth=2, patch_size=4, grid=4, window_size=0, global_attn_indexes=[],
                  mlp_ratio=3, out_chans=8, qkv_bias=False, use_rel_pos=False, use_abs_pos=False),
}
UNETS = {"group_gelu": ("group", "gelu"), "layer_leakyrelu": ("layer", "leakyrelu")}
Z, HIDDEN = [8, 16], 8


class ChannelNorm(nn.Module):
    """LayerNorm over axis 1, by PyTorch's own layer_norm."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return F.layer_norm(x.movedim(1, -1), self.weight.shape, self.weight, self.bias, 1e-6).movedim(-1, 1)


class Attention(nn.Module):
    """Every pair of query and key by its own bias: nothing is decomposed here."""

    def __init__(self, dim, heads, side, qkv_bias, relative):
        super().__init__()
        self.heads, self.side = heads, side
        self.qkv, self.proj = nn.Linear(dim, 3 * dim, bias=qkv_bias), nn.Linear(dim, dim)
        if relative:
            self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, dim // heads))
            self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, dim // heads))

    def forward(self, x):  # [B,side,side,dim]
        batch, side, _, dim = x.shape
        q, k, v = self.qkv(x).reshape(batch, side * side, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        logits = q @ k.transpose(-1, -2) * (dim // self.heads) ** -0.5
        if hasattr(self, "rel_pos_h"):
            place = torch.arange(side * side)
            for table, axis in ((self.rel_pos_h, place // side), (self.rel_pos_w, place % side)):
                vectors = table[axis[:, None] - axis[None, :] + side - 1]
                logits = logits + (q[:, :, :, None, :] * vectors).sum(-1)
        x = (logits.softmax(-1) @ v).transpose(1, 2).reshape(batch, side, side, dim)
        return self.proj(x)


class Block(nn.Module):
    def __init__(self, card, window):
        super().__init__()
        dim = card["embed_dim"]
        self.window = window
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = Attention(dim, card["num_heads"], window or card["grid"], card["qkv_bias"], card["use_rel_pos"])
        self.mlp = nn.ModuleDict({"lin1": nn.Linear(dim, int(dim * card["mlp_ratio"])),
                                  "lin2": nn.Linear(int(dim * card["mlp_ratio"]), dim)})

    def attend(self, x):
        if not self.window:
            return self.attn(x)
        _, height, width, _ = x.shape
        w = self.window
        x = F.pad(x, (0, 0, 0, -width % w, 0, -height % w))
        y = torch.zeros_like(x)
        for i in range(0, x.shape[1], w):
            for j in range(0, x.shape[2], w):
                y[:, i:i + w, j:j + w] = self.attn(x[:, i:i + w, j:j + w])
        return y[:, :height, :width]

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.mlp["lin2"](F.gelu(self.mlp["lin1"](self.norm2(x))))


class Encoder(nn.Module):
    def __init__(self, card):
        super().__init__()
        dim, out, patch = card["embed_dim"], card["out_chans"], card["patch_size"]
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, dim, patch, stride=patch)})
        if card["use_abs_pos"]:
            self.pos_embed = nn.Parameter(torch.zeros(1, card["grid"], card["grid"], dim))
        is_global = card["global_attn_indexes"]
        self.blocks = nn.ModuleList(
            Block(card, 0 if i in is_global else card["window_size"]) for i in range(card["depth"]))
        self.neck = nn.Sequential(nn.Conv2d(dim, out, 1, bias=False), ChannelNorm(out),
                                  nn.Conv2d(out, out, 3, padding=1, bias=False), ChannelNorm(out))

    def forward(self, x):
        x = self.patch_embed["proj"](x).movedim(1, -1)
        if hasattr(self, "pos_embed"):
            x = x + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.neck(x.movedim(-1, 1))


class Upsample(nn.Module):
    def __init__(self, channels, out, factor, act):
        super().__init__()
        self.upsample_block = nn.Sequential(
            nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=False), nn.ReflectionPad2d(1),
            nn.Conv2d(channels, out, 3, bias=False), ChannelNorm(out), act())

    def forward(self, x):
        return self.upsample_block(x)


class Decoder(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.output_upscaling = nn.Sequential(Upsample(channels, channels, 1, nn.GELU))
        self.linear = nn.Linear(channels, 1 + BITS)

    def forward(self, x):
        return self.linear(self.output_upscaling(x).mean(dim=(-2, -1)))


class Vit(nn.Module):
    def __init__(self, card):
        super().__init__()
        self.detector = nn.ModuleDict({"image_encoder": Encoder(card), "pixel_decoder": Decoder(card["out_chans"])})

    def forward(self, images):
        return self.detector["pixel_decoder"](self.detector["image_encoder"](images * 2 - 1))


NORMS = {"group": lambda channels: nn.GroupNorm(8, channels), "layer": ChannelNorm}
ACTS = {"gelu": nn.GELU, "leakyrelu": lambda: nn.LeakyReLU(0.2)}


class Resnet(nn.Module):
    def __init__(self, channels, out, norm, act):
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(channels, out, 3, padding=1, bias=False), norm(out), act(),
            nn.Conv2d(out, out, 3, padding=1, bias=False), norm(out), act())
        self.res_conv = nn.Conv2d(channels, out, 1)

    def forward(self, x):
        return self.double_conv(x) + self.res_conv(x)


class UNet(nn.Module):
    """Two levels: one step down, the message, one bottleneck block, one step up."""

    def __init__(self, norm, act):
        super().__init__()
        deep = Z[1] + HIDDEN
        self.msg_processor = nn.ModuleDict({"msg_embeddings": nn.Embedding(2 * BITS, HIDDEN)})
        self.inc = Resnet(3, Z[0], norm, act)
        self.downs = nn.ModuleList([nn.ModuleDict(
            {"down": nn.Conv2d(Z[0], Z[1], 3, stride=2, padding=1), "conv": Resnet(Z[1], Z[1], norm, act)})])
        self.bottleneck = nn.ModuleDict({"model": nn.ModuleList([Resnet(deep, deep, norm, act)])})
        self.ups = nn.ModuleList([nn.ModuleDict(
            {"up": Upsample(2 * deep, Z[0], 2, act), "conv": Resnet(Z[0], Z[0], norm, act)})])
        self.outc = nn.Conv2d(Z[0], 3, 1)

    def forward(self, images, messages):
        x = self.inc(images * 2 - 1)
        x = self.downs[0]["conv"](self.downs[0]["down"](x))
        rows = 2 * torch.arange(BITS) + messages.long()
        e = self.msg_processor["msg_embeddings"](rows).sum(1)[:, :, None, None]
        skip = torch.cat([x, e.expand(-1, -1, *x.shape[2:])], 1)
        x = self.bottleneck["model"][0](skip)
        x = self.ups[0]["conv"](self.ups[0]["up"](torch.cat([x, skip * 2**-0.5], 1)))
        return torch.tanh(self.outc(x))


def randomize(module, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.named_parameters():
        center = 1.0 if tensor.dim() == 1 and name.endswith("weight") or name.endswith("gamma") else 0.0
        spread = 0.3 if tensor.dim() == 1 or "pos" in name else (3 / tensor[0].numel()) ** 0.5
        tensor.data = center + spread * (2 * torch.rand(tensor.shape, generator=generator) - 1)


def save(path, module, root, **tensors):
    weights = {root + name: tensor.detach().float() for name, tensor in module.state_dict().items()}
    torch.save({"model": weights | {name: tensor.float() for name, tensor in tensors.items()}}, path)
    print(path.name, path.stat().st_size)


def compare(mine, reference, inputs):
    reference.load_state_dict(mine.state_dict())
    with torch.no_grad():
        difference = (mine(*inputs) - reference.double().eval()(*inputs)).abs().max()
    print(f"  reference code: {difference:.1e} away")
    assert difference < 1e-12


def reference_vit(card):
    from videoseal.modules.pixel_decoder import PixelDecoder
    from videoseal.modules.vit import ImageEncoderViT

    arguments = {k: v for k, v in card.items() if k != "grid"}
    encoder = ImageEncoderViT(img_size=card["grid"] * card["patch_size"], **arguments)
    decoder = PixelDecoder(pixelwise=False, upscale_stages=[1], embed_dim=card["out_chans"], nbits=BITS)

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.detector = nn.ModuleDict({"image_encoder": encoder, "pixel_decoder": decoder})

        def forward(self, x):
            return decoder(encoder(x * 2 - 1))

    return Whole()


def reference_unet(norm, act):
    from videoseal.modules.msg_processor import MsgProcessor
    from videoseal.modules.unet import UNetMsg

    unet = UNetMsg(MsgProcessor(nbits=BITS, hidden_size=HIDDEN, msg_processor_type="binary+concat"), in_channels=3,
                   out_channels=3, z_channels=8, num_blocks=1, activation=act, normalization=norm,
                   z_channels_mults=[1, 2], last_tanh=True)
    forward = unet.forward
    unet.forward = lambda images, messages: forward(images * 2 - 1, messages)
    return unet


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reference")
    reference = parser.parse_args().reference
    if reference:
        sys.path.insert(0, reference)
    folder = pathlib.Path(__file__).parent
    generator = torch.Generator().manual_seed(1)
    for seed, (name, card) in enumerate(VITS.items()):
        vit = Vit(card)
        randomize(vit, seed)
        vit.double()
        side = card["grid"] * card["patch_size"]
        images = torch.rand((2, 3, side, side), generator=generator).double()
        with torch.no_grad():
            save(folder / f"vit_{name}.pth", vit, "", images=images, logits=vit(images))
        if reference:
            compare(vit, reference_vit(card), (images,))
    for seed, (name, (norm, act)) in enumerate(UNETS.items()):
        unet = UNet(NORMS[norm], ACTS[act])
        randomize(unet, 10 + seed)
        unet.double()
        images = torch.rand((2, 3, 16, 16), generator=generator).double()
        messages = torch.randint(0, 2, (2, BITS), generator=generator).double()
        with torch.no_grad():
            save(folder / f"unet_{name}.pth", unet, "embedder.unet.", images=images, messages=messages,
                 delta=unet(images, messages))
        if reference:
            compare(unet, reference_unet(norm, act), (images, messages))


if __name__ == "__main__":
    main()
