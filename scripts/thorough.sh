#!/usr/bin/env bash
# `make thorough`: everything that does not fit into CI, one step after the other, each with its time. A step that fails
# does not keep the later ones from running; the last lines say which failed, and the exit status is 1 then.
# COUNT=10000 mutations of checkpoints and of models, MODELS=20000 random models, FAULTS=1000 kills, FUZZ_SECONDS=600 for each fuzz target.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
count=${COUNT:-10000}
models=${MODELS:-20000}
faults=${FAULTS:-1000}
fuzz=${FUZZ_SECONDS:-600}
summary=()
status=0

step() {
  local name=$1 start=$SECONDS result=passed
  shift
  printf '\n==== %s: %s\n' "$name" "$*"
  "$@" </dev/null || { result=FAILED; status=1; }
  summary+=("$(printf '%-40s %-7s %6d s' "$name" "$result" $((SECONDS - start)))")
}

step "all tests, the slow ones too" make test SLOW=1
step "demo" make demo
step "address and undefined-behaviour sanitizers" make asan SLOW=1
step "thread sanitizer" make tsan
step "line coverage" make coverage
step "hostile files and mutations" make attacks COUNT="$count"
step "random models" make random-models COUNT="$models"
step "kills, failing writes and allocations" make faults COUNT="$faults"
step "fuzzing" make fuzz SECONDS="$fuzz"
step "the run half for aarch64, under qemu" scripts/cross.sh
step "the same bytes in two folders" scripts/reproducible.sh
printf '\n==== thorough\n'
printf '%s\n' "${summary[@]}"
exit $status
