#!/usr/bin/env bash
# run_interpreter_test.sh SEALITE PACKAGES: runs interpreter_test.py with ai-edge-litert and numpy in the folder
# PACKAGES, installed there from PyPI the first time. Exits with 77 (skipped) if that is not possible.
set -euo pipefail
name="interpreter test"
# shellcheck source=tests/e2e/python_packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/python_packages.sh"
need_packages "$2" ai_edge_litert.interpreter ai-edge-litert==2.3.0 numpy
python3 "$here/interpreter_test.py" "$1" "$work"
