#!/usr/bin/env bash
# run_torch_test.sh SCRIPT SEALITE PACKAGES: runs a Python test of this folder with torch and safetensors in the folder
# PACKAGES, installed there the first time (1 GB). Exits with 77 (skipped) if that is not possible.
set -euo pipefail
name=$1
# shellcheck source=tests/e2e/python_packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/python_packages.sh"
# "+cpu": PyPI's own wheel for Linux wants gigabytes of CUDA libraries. It lies in pytorch.org's index; a machine that
# has it among its own sources (pip's find-links) does not ask there.
more_index=https://download.pytorch.org/whl/cpu
need_packages "$3" safetensors.torch torch==2.13.0+cpu safetensors==0.8.0 numpy
python3 "$here/$1" "$2" "$work"
