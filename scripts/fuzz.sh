#!/usr/bin/env bash
# Runs every target of the fuzz preset for some seconds each, starting from fuzz/corpus; new inputs go to
# build/fuzz/found/NAME, and what breaks a target to build/fuzz/found/NAME.crash-*. `make fuzz` builds them first.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
found=$PWD/build/fuzz/found
status=0
# A claimed size that cannot be had is an error, not an end; libvips and libheif keep what LeakSanitizer reports.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0
for target in build/fuzz/bin/fuzz_*; do
  name=${target##*fuzz_}
  mkdir -p "$found/$name"
  corpora=("fuzz/corpus/$name")
  [[ $name != runnable_graph ]] || corpora+=(fuzz/corpus/tflite)
  "$target" "$found/$name" "${corpora[@]}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1500 \
    -max_len=70000 -print_final_stats=1 -artifact_prefix="$found/$name.crash-" >"$found/$name.log" 2>&1
  result=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/$name.log")
  coverage=$(grep -o 'cov: [0-9]*' "$found/$name.log" | tail -1)
  printf '%-14s %10s executions, %s edges%s\n' "$name" "${executions:-?}" "${coverage#cov: }" \
    "$([[ $result == 0 ]] || echo "  FOUND SOMETHING: $found/$name.log")"
  ((result == 0)) || status=1
done
exit $status
