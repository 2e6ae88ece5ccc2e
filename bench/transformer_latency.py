#!/usr/bin/env python3
"""VideoSeal 0.0's detector at full size: PyTorch eager against Sealite's files in LiteRT, and the form of
attention that Sealite writes against the usual one (4-D, relative positions added to the logits), in one run.

    git clone https://github.com/facebookresearch/videoseal     # the reference code
    python -m venv v && v/bin/pip install torch einops ai-edge-litert numpy
    build/release/bin/sealite make-checkpoint --card videoseal_0.0 --part detector -o vs.pth
    for q in float32 int8; do build/release/bin/sealite convert vs.pth -o vs.$q.tflite --quantize $q; done
    build/release/bin/attention_forms 1 1 forms                 # -DSEALITE_BENCH=ON
    v/bin/python bench/transformer_latency.py --reference videoseal --checkpoint vs.pth \\
        --models vs.float32.tflite vs.int8.tflite --forms forms

All are run alternately, each once in every round. Prints minimum and median, for one and two threads, and how
far the first model's logits are from PyTorch's.
"""
import argparse
import statistics
import sys
import time
from pathlib import Path


def torch_model(reference, checkpoint):
    sys.path.insert(0, str(reference))
    import torch
    from videoseal.modules.pixel_decoder import PixelDecoder
    from videoseal.modules.vit import ImageEncoderViT

    weights = torch.load(checkpoint, weights_only=True)["model"]
    encoder = ImageEncoderViT(img_size=256, embed_dim=384, out_chans=384, depth=12, num_heads=6, patch_size=16,
                              global_attn_indexes=(2, 5, 8, 11), window_size=8, mlp_ratio=4, qkv_bias=True,
                              use_rel_pos=True)
    decoder = PixelDecoder(pixelwise=False, upscale_stages=[1], embed_dim=384, nbits=96, sigmoid_output=False,
                           upscale_type="bilinear")
    for module, root in ((encoder, "detector.image_encoder."), (decoder, "detector.pixel_decoder.")):
        module.load_state_dict({k[len(root):]: v for k, v in weights.items() if k.startswith(root)})
        module.eval()
    return lambda x: decoder(encoder(x * 2 - 1))


def litert_model(path, threads):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--forms", type=Path)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()

    import numpy
    import torch

    picture = numpy.random.default_rng(0).random((1, 3, 256, 256), dtype=numpy.float32)
    network = torch_model(options.reference, options.checkpoint)
    files = list(options.models)
    if options.forms:
        files += [options.forms / f"{form}.{q}.tflite" for q in ("float32", "int8") for form in ("ours", "usual")]
    with torch.inference_mode():
        wanted = network(torch.from_numpy(picture)).numpy()
        for threads in (1, 2):
            torch.set_num_threads(threads)
            runs = {"PyTorch eager": lambda: network(torch.from_numpy(picture))}
            for path in files:
                interpreter = litert_model(path, threads)
                detail = interpreter.get_input_details()[0]
                data = picture if list(detail["shape"]) == [1, 3, 256, 256] else \
                    numpy.random.default_rng(0).random(detail["shape"], dtype=numpy.float32)
                interpreter.set_tensor(detail["index"], data)
                runs[path.name if path in options.models else f"blocks alone: {path.name}"] = interpreter.invoke
                interpreter.invoke()
                if path == options.models[0] and threads == 1:
                    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
                    print(f"{path.name}: logits at most {abs(found - wanted).max():.2g} from PyTorch's")
            times = {name: [] for name in runs}
            for _ in range(options.runs):
                for name, run in runs.items():
                    start = time.perf_counter()
                    run()
                    times[name].append(1000 * (time.perf_counter() - start))
            print(f"\n{threads} thread(s), {options.runs} rounds: milliseconds")
            base = statistics.median(times["PyTorch eager"])
            for name, list_ in times.items():
                median = statistics.median(list_)
                print(f"  {name:<36} min {min(list_):7.1f}  median {median:7.1f}  {median / base:.3f} x PyTorch")


if __name__ == "__main__":
    main()
