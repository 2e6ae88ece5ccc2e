#!/usr/bin/env bash
# usage: faults.sh COUNT
# What the tests of tests/faults/ run in short, at length: COUNT ends of convert by SIGKILL and as many by SIGINT and
# SIGTERM, a third of that for the others; every call of every kind fails once. `make faults` builds it first.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
count=${1:-1000}
sealite=build/release/bin/sealite
faulty=build/release/tests/faults/libfaulty.so
status=0
run() {
  printf '\n%s\n' "$*"
  python3 "tests/faults/$1" "$sealite" "${@:2}" || status=1
}
run kill_loop.py --command convert-medium --runs "$count" --signal KILL
run kill_loop.py --command convert-medium --runs "$count" --signal stop
for command in convert extract-medium embed-png embed-jpeg; do
  run kill_loop.py --command "$command" --runs $(((count + 2) / 3)) --signal random
done
run kill_loop.py --command convert-medium --runs $(((count + 2) / 3)) --signal random --no-tmpfile "$faulty"
for command in convert convert-int8 convert-both extract extract-safetensors make-checkpoint embed-png embed-jpeg \
  detect detect-cached inspect; do
  run inject.py "$faulty" --command "$command" --calls writes --all
done
for command in convert convert-json extract inspect; do
  run inject.py "$faulty" --command "$command" --calls memory --all
done
for command in convert-int8 convert-both make-checkpoint embed-png detect; do
  run inject.py "$faulty" --command "$command" --calls memory --sample 300
done
exit $status
