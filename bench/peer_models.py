#!/usr/bin/env python3
"""Makes the usual converter's own file of a model, for `sealite bench OURS --vs PEER`.

    git clone https://github.com/facebookresearch/videoseal
    python -m venv peer && peer/bin/pip install litert-torch==0.10.0 ai-edge-quantizer==0.10.0 einops timm
    build/release/bin/sealite make-checkpoint --card pixelseal --part all -o ps.pth
    peer/bin/python bench/peer_models.py --reference videoseal --checkpoint ps.pth --card pixelseal \\
        --part detector -o ps.peer          # ps.peer.float32.tflite and ps.peer.int8.tflite

The modules are the reference code's; the converter is litert-torch with its defaults, and for int8
ai-edge-quantizer's dynamic recipe (int8 weights per channel, float activations). Cards: pixelseal and chunkyseal
(whose int8 needs a patched quantiser: ai-edge-quantizer refuses constants above 32 MiB).
"""
import argparse
import os
import resource
import sys
import time
from pathlib import Path

CARDS = {
    "pixelseal": dict(bits=256, hidden=256, depths=[3, 3, 9, 3], dims=[96, 192, 384, 768], stem_stride=4, channels=1,
                      mults=[2, 4, 8, 16]),
    "chunkyseal": dict(bits=1024, hidden=2048, depths=[3, 3, 27, 3], dims=[362, 724, 1448, 2896], stem_stride=2,
                       channels=3, mults=[4, 8, 16, 32]),
}


def build(card, part, weights):
    import torch

    if part == "detector":
        from videoseal.modules.convnext import ConvNeXtV2
        from videoseal.modules.pixel_decoder import PixelDecoder

        modules = {
            "detector.convnext.": ConvNeXtV2(depths=card["depths"], dims=card["dims"], stem_stride=card["stem_stride"]),
            "detector.pixel_decoder.": PixelDecoder(pixelwise=False, upscale_stages=[1], embed_dim=card["dims"][-1],
                                                    nbits=card["bits"], sigmoid_output=False)}
        encoder, decoder = modules.values()

        class Detector(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder, self.decoder = encoder, decoder

            def forward(self, image):
                return self.decoder(self.encoder(image * 2 - 1))

        whole, inputs = Detector(), (torch.rand(1, 3, 256, 256),)
    else:
        from videoseal.modules.msg_processor import MsgProcessor
        from videoseal.modules.unet import UNetMsg

        processor = MsgProcessor(nbits=card["bits"], hidden_size=card["hidden"], msg_processor_type="binary+concat")
        unet = UNetMsg(processor, in_channels=card["channels"], out_channels=card["channels"], z_channels=16,
                       num_blocks=8, activation="relu", normalization="batch", z_channels_mults=card["mults"],
                       last_tanh=True)
        modules = {"embedder.unet.": unet}
        luma = card["channels"] == 1

        class Embedder(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.unet = unet

            def forward(self, image, message):
                if luma:
                    image = 0.299 * image[:, 0:1] + 0.587 * image[:, 1:2] + 0.114 * image[:, 2:3]
                return self.unet(image * 2 - 1, message)

        whole = Embedder()
        inputs = (torch.rand(1, 3, 256, 256), torch.randint(0, 2, (1, card["bits"])).float())
    for root, module in modules.items():
        module.load_state_dict({k[len(root):]: v for k, v in weights.items() if k.startswith(root)})
    return whole.eval(), inputs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--card", choices=CARDS, required=True)
    parser.add_argument("--part", choices=["detector", "embedder"], default="detector")
    parser.add_argument("--no-int8", action="store_true")
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    sys.path.insert(0, options.reference)
    if options.part == "embedder":  # its default layout pass fails on the message's concatenation
        os.environ["LAYOUT_OPTIMIZE_PARTITIONER"] = "GREEDY"
    import litert_torch
    import torch

    weights = torch.load(options.checkpoint, weights_only=True, mmap=True)["model"]
    network, inputs = build(CARDS[options.card], options.part, weights)
    start = time.time()
    float_path = f"{options.output}.float32.tflite"
    litert_torch.convert(network, inputs).export(float_path)
    print(f"{float_path}: {Path(float_path).stat().st_size} bytes, {time.time() - start:.1f} s", flush=True)
    if not options.no_int8:
        from ai_edge_quantizer import quantizer, recipe

        start = time.time()
        int8_path = f"{options.output}.int8.tflite"
        maker = quantizer.Quantizer(float_path)
        maker.load_quantization_recipe(recipe.dynamic_wi8_afp32())
        maker.quantize().export_model(int8_path, overwrite=True)
        print(f"{int8_path}: {Path(int8_path).stat().st_size} bytes, {time.time() - start:.1f} s")
    print(f"peak resident {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
