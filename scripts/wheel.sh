#!/usr/bin/env bash
# wheel.sh [JOBS]: builds the Python wheels into build/wheel: sealite-…-cp311-cp311-….whl with a Python 3.11 and
# sealite-…-cp312-abi3-….whl, which all later ones take, with the first of these that is here (docs/python.md).
# scripts/setup.sh --python comes before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CMAKE_BUILD_PARALLEL_LEVEL=${1:-$(nproc)}
# What is built on Debian 12 needs this much of the C library.
platform=manylinux_2_34_$(uname -m)

rm -rf build/wheel/raw
mkdir -p build/wheel/raw
rm -f build/wheel/*.whl
abi3=0
while read -r version program; do
  [[ $version == 3.11 ]] || ((abi3++ == 0)) || continue
  echo "wheel: building with Python $version ($program)"
  # One build tree for both: the module alone depends on the Python.
  "build/python/build-$version/bin/python" -m pip --disable-pip-version-check wheel --quiet . --no-deps \
    --no-build-isolation -w build/wheel/raw -C build-dir=build/wheel/tree
done <build/python/pythons
((abi3)) || echo "wheel: no Python from 3.12 on is here: no wheel for it"
for wheel in build/wheel/raw/*.whl; do
  # Puts in what is no part of every Linux, and checks that nothing else is missing.
  PATH=$PWD/build/python/tools/bin:$PATH auditwheel repair --plat "$platform" -w build/wheel "$wheel" \
    2>build/wheel/auditwheel.log || { cat build/wheel/auditwheel.log >&2; exit 1; }
done
ls -l build/wheel/*.whl
