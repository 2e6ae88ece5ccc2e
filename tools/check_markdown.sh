#!/usr/bin/env bash
# No line of Markdown is wider than 120 columns: tables that are become lists.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if find . -name '*.md' -not -path './build/*' -print0 | LC_ALL=C.UTF-8 xargs -0 grep -nE '^.{121,}$'; then
  echo "check_markdown: the lines above are wider than 120 columns" >&2
  exit 1
fi
