#!/usr/bin/env bash
# Builds the release preset's sealite in two folders of different names and compares the two programs byte for byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for copy in one a/longer/name; do
  mkdir -p "$folder/$copy"
  git archive HEAD | tar -x -C "$folder/$copy"
  (cd "$folder/$copy" && cmake --preset release -DSEALITE_TESTS=OFF && cmake --build --preset release -j "$(nproc)") >"$folder/log" 2>&1 ||
    { cat "$folder/log"; exit 1; }
done
sha256sum "$folder"/{one,a/longer/name}/build/release/bin/sealite
cmp "$folder"/{one,a/longer/name}/build/release/bin/sealite && echo "the same bytes"
