#!/usr/bin/env bash
# run_torch_test.sh SCRIPT SEALITE PACKAGES: runs a Python test of this folder with torch and safetensors in the folder
# PACKAGES, installed there the first time (1 GB). Exits with 77 (skipped) if that is not possible.
set -euo pipefail
script=$1
sealite=$2
packages=$3
here=$(dirname "${BASH_SOURCE[0]}")

skip() {
  echo "$script: skipped: $*"
  exit 77
}

# "+cpu": PyPI's own wheel for Linux wants gigabytes of CUDA libraries. It lies in pytorch.org's index; a machine that
# has it among its own sources (pip's find-links) does not ask there.
wanted="torch==2.13.0+cpu safetensors==0.8.0 numpy"
if [[ $(cat "$packages/installed" 2>/dev/null) != "$wanted" ]]; then
  rm -rf "$packages"
  mkdir -p "$packages"
  read -ra words <<<"$wanted"
  install() {
    python3 -m pip --disable-pip-version-check install --quiet --only-binary=:all: --retries 1 --target "$packages" "$@" \
      "${words[@]}" >>"$packages/pip.log" 2>&1 </dev/null
  }
  install || install --extra-index-url https://download.pytorch.org/whl/cpu ||
    skip "pip cannot install '$wanted': $(grep -i error "$packages/pip.log" | tail -n 1)"
  echo "$wanted" >"$packages/installed"
fi
export PYTHONPATH=$packages
python3 -c 'import safetensors.torch' 2>"$packages/import.log" ||
  skip "cannot import torch and safetensors: $(tail -n 1 "$packages/import.log")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/$script" "$sealite" "$work"
