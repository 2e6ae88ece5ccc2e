#!/usr/bin/env bash
# run_interpreter_test.sh SEALITE PACKAGES: runs interpreter_test.py with ai-edge-litert and numpy in the folder
# PACKAGES, installed there from PyPI the first time. Exits with 77 (skipped) if that is not possible.
set -euo pipefail
sealite=$1
packages=$2
here=$(dirname "${BASH_SOURCE[0]}")

skip() {
  echo "interpreter test: skipped: $*"
  exit 77
}

wanted="ai-edge-litert==2.3.0 numpy"
if [[ $(cat "$packages/installed" 2>/dev/null) != "$wanted" ]]; then
  rm -rf "$packages"
  mkdir -p "$packages"
  # --target: no virtual environment, which would need Debian's python3-venv, and nothing outside this folder.
  read -ra words <<<"$wanted"
  python3 -m pip --disable-pip-version-check install --quiet --only-binary=:all: --target "$packages" "${words[@]}" \
    >"$packages/pip.log" 2>&1 </dev/null || skip "pip cannot install '$wanted': $(tail -n 1 "$packages/pip.log")"
  echo "$wanted" >"$packages/installed"
fi
export PYTHONPATH=$packages
python3 -c 'import numpy, ai_edge_litert.interpreter' 2>"$packages/import.log" ||
  skip "cannot import ai_edge_litert: $(tail -n 1 "$packages/import.log")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/interpreter_test.py" "$sealite" "$work"
