#!/usr/bin/env bash
# run_metadata_test.sh SEALITE: what exiftool says of pictures before and after they are marked. Exits with 77 (skipped)
# without exiftool.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
export SEALITE_LITERT=${SEALITE_LITERT:-$(cd "$here/../.." && pwd)/build/litert/libLiteRt.so}
if ! command -v exiftool >/dev/null; then
  echo "skipped: no exiftool here (scripts/setup.sh --tests installs it)"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -B "$here/metadata_test.py" "$1" "$work"
