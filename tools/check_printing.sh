#!/usr/bin/env bash
# Checks that texts reach a terminal through one function alone (cli/plain_text.h: print, print_error_line,
# print_warning; cli/progress_line.h uses the same `shown`): prints each breach as FILE: what, exits 1 if any.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

# FILE, how often it may write by itself, and why.
allowed='
src/cli/plain_text.cc 4   the functions themselves, for both streams
src/cli/json_line.cc 1    JSON, which escapes by its own rules
src/cli/progress_line.cc 2 shown, and the line that takes it away
src/cli/interrupt.cc 1    a signal handler: the text was made by end_after
src/runtime/litert_stderr.cc 1 passes on what LiteRT prints outside of our calls
'
writes='fmt::print|fmt::vprint|std::(cout|cerr|clog)|\b(v?f?printf|f?puts|f?putc|putchar|fwrite|perror|v?dprintf)\(|::write\(STD|std::(print|println)'

# Comments may name them.
lines=$(grep -rnE "$writes" src --include='*.cc' --include='*.h' | grep -vE '^[^:]+:[0-9]+: *//' || true)
bad=0
while read -r count file; do
  most=$(awk -v file="$file" '$1 == file { print $2 }' <<< "$allowed")
  if ((count > ${most:-0})); then
    echo "$file: writes $count times by itself, ${most:-0} are allowed: use cli/plain_text.h"
    grep "^$file:" <<< "$lines"
    bad=1
  fi
done < <(cut -d: -f1 <<< "$lines" | sort | uniq -c)

# It shows nothing: only `print` may give it anything.
if grep -rn 'print_formatted' src | grep -v '^src/cli/plain_text\.'; then
  echo "print_formatted is for cli/plain_text.h alone"
  bad=1
fi
exit $bad
