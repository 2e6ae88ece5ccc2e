#!/usr/bin/env bash
# Builds the run half (docs/pipeline.md) for other machines:
# - with Debian's aarch64 compiler, and reads the demo's photo with it under qemu: its logits must be PyTorch's to 2e-5;
# - with Debian's emscripten, and marks a photo with it in node: the pixels must be those that this machine makes.
# Needs what `scripts/setup.sh --cross` installs, and build/release/bin/sealite.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh --cross
work=build/cross
mkdir -p "$work/headers"
# Headers alone, the same for every machine; /usr/include as a whole is this machine's.
for name in fmt nlohmann flatbuffers; do cp -rT "/usr/include/$name" "$work/headers/$name"; done

# build_run_half FOLDER CMAKE_OPTION...
build_run_half() {
  cmake -S . -B "$work/$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSEALITE_RUN_ONLY=ON -DSEALITE_TESTS=OFF \
    -DSEALITE_HEADERS="$PWD/$work/headers" "${@:2}"
  cmake --build "$work/$1"
}

build_run_half aarch64 -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64.cmake"
file=$work/aarch64/bin/read_pixels
aarch64-linux-gnu-readelf -d "$file" | sed -n 's/.*NEEDED.*\[\(.*\)\]/needs \1/p'

build/release/bin/sealite convert assets/demo.pth --card assets/demo.card.yaml -o "$work/demo.tflite" --force
python3 scripts/png_to_rgb.py assets/coffee.watermarked.png "$work/photo.rgb" >"$work/size"
read -r width height <"$work/size"
# XNNPACK reads /proc/cpuinfo, which under qemu is this machine's: it gets an aarch64 one to see.
export SEALITE_LITERT=$PWD/build/litert-aarch64/libLiteRt.so
unshare --mount sh -c "mount --bind tests/run_half/aarch64.cpuinfo /proc/cpuinfo && \
  qemu-aarch64-static -L /usr/aarch64-linux-gnu $file $work/demo.tflite $work/photo.rgb $width $height" >"$work/logits"
python3 scripts/compare_logits.py "$work/logits" tests/reference/demo.coffee.logits_watermarked.npy 2e-5

# Debian's packages of node's modules, which emscripten calls, lie where only Debian's node looks.
export NODE_PATH=/usr/share/nodejs
build_run_half wasm -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/emscripten.cmake"
build_run_half native
for build in wasm native; do
  program=("$work/$build/bin/mark_pixels")
  if [[ $build == wasm ]]; then program=(node "$work/wasm/bin/mark_pixels.js"); fi
  "${program[@]}" "$work/photo.rgb" "$width" "$height" "$work/$build.rgb" >"$work/$build.said"
done
cat "$work/wasm.said"
diff "$work/wasm.said" "$work/native.said"
grep -q " id:20261128$" "$work/wasm.said"
python3 scripts/compare_pixels.py "$work/wasm.rgb" "$work/native.rgb" "$work/photo.rgb"
