#!/usr/bin/env bash
# Repeats README.md's figures of speed, memory and size, each behind the command that gives it. What needs PyTorch (the
# differences of logits) or litert-torch (the other column) is not here; int8's error is bench/quantize_agreement's.
set -euo pipefail

usage() {
  cat <<'HELP'
usage: bench/readme_figures.sh [--card NAME] [--extract] [--runs N]
  --card NAME   chunkyseal (default: as README.md; 7 GiB of disk, 9 GiB of memory, about 5 minutes) or pixelseal
  --extract     also extract from a whole training checkpoint (chunkyseal: 16 GB of disk more)
  --runs N      runs of each model in the comparison (default 7), and of cp and convert (default 3)
environment: SEALITE=FILE (default build/release/bin/sealite), TMPDIR
HELP
}

die() {
  printf 'readme_figures: error: %s\n' "$*" >&2
  exit 1
}

card=chunkyseal
extract=0
runs=7
copies=3
while (($#)); do
  case "$1" in
    --card) card=${2:?}; shift ;;
    --extract) extract=1 ;;
    --runs) runs=${2:?}; copies=$runs; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "unknown option '$1'" ;;
  esac
  shift
done
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sealite=$(realpath "${SEALITE:-$root/build/release/bin/sealite}" 2>/dev/null) && [[ -x $sealite ]] || die "no sealite; run 'make' first, or set SEALITE"
[[ -x /usr/bin/time ]] || die "no /usr/bin/time; run scripts/setup.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/sealite-figures-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"
# As a user would type them.
PATH=$(dirname "$sealite"):$PATH

# measured COMMAND...: shows it, runs it, leaves seconds and peak MiB in $seconds and $memory. What was written before
# is on the disk first, or this command would also pay for that.
measured() {
  printf '$ %s\n' "$*"
  sync -f .
  /usr/bin/time -o time.txt -f '%e %M' "$@" >out.txt || die "'$*' failed"
  read -r seconds memory <time.txt
  memory=$((memory / 1024))
}

megabytes() { awk -v bytes="$(stat -c %s "$1")" 'BEGIN { printf "%.1f", bytes / 1048576 }'; }

# number FILE WORD...: the number under those keys, one in the other.
number() {
  python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2:]: value = value[key]
print(value)' "$@"
}

convert_figures() {
  printf '\n== convert, float32, beside cp (alternating, page cache warm)\n'
  local i
  for ((i = 0; i < copies; ++i)); do
    measured cp detector.pth copy.pth
    printf '   cp: %s s\n' "$seconds"
    rm copy.pth
    measured sealite convert detector.pth -o float32.tflite
    printf '   convert: %s s, peak resident memory %s MiB\n' "$seconds" "$memory"
  done
}

size_figures() {
  printf '\n== sizes and operators\n'
  printf '   float32: %s MiB\n' "$(megabytes float32.tflite)"
  local recipe
  for recipe in fp16 int4 int8; do
    measured sealite convert detector.pth -o "$recipe.tflite" --quantize "$recipe"
    printf '   %s: %s MiB (%s s)\n' "$recipe" "$(megabytes "$recipe.tflite")" "$seconds"
    [[ $recipe == int8 ]] || rm "$recipe.tflite"
  done
  printf '$ sealite bench int8.tflite --no-peak --runs 1 --json\n'
  sealite bench int8.tflite --no-peak --runs 1 --json >bench.json
  printf '   operators: %s, one XNNPACK partition: %s\n' "$(number bench.json model operators)" "$(number bench.json model fully_delegated)"
}

memory_figures() {
  printf '\n== peak resident memory of detect\n'
  local recipe
  for recipe in float32 int8; do
    measured sealite detect "$recipe.tflite" "$root/assets/coffee.png"
    printf '   %s: %s MiB\n' "$recipe" "$memory"
  done
}

speed_figures() {
  printf '\n== int8 against its own float32, one thread\n'
  printf '$ sealite bench int8.tflite --vs float32.tflite --runs %s --json\n' "$runs"
  sealite bench int8.tflite --vs float32.tflite --runs "$runs" --json >bench.json
  printf '   %.2f x as fast (median of %s pairs; %.2f to %.2f encloses it with probability %.3f); medians %.4f and %.4f s\n' \
    "$(number bench.json ratio median)" "$(number bench.json ratio pairs)" \
    "$(number bench.json ratio median_interval low)" "$(number bench.json ratio median_interval high)" \
    "$(number bench.json ratio median_interval coverage)" "$(number bench.json versus steady median)" "$(number bench.json model steady median)"
  printf '   share of the matrix peak: int8 %.3f, float32 %.3f\n' \
    "$(number bench.json model share_of_peak)" "$(number bench.json versus share_of_peak)"
}

extract_figures() {
  printf '\n== extract the detector from a training checkpoint\n'
  rm -f ./*.tflite detector.pth
  measured sealite make-checkpoint --card "$card" --training-state detector -o training.pth
  local i
  for ((i = 0; i < copies; ++i)); do
    measured sealite extract training.pth -o kept.pth --part detector
    printf '   extract: %s s, peak resident memory %s MiB\n' "$seconds" "$memory"
    measured cp kept.pth copy.pth
    printf '   cp of what is kept: %s s\n' "$seconds"
    rm kept.pth copy.pth
  done
}

printf '%s, %s processors, %s\n' "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(sealite --version)"
measured sealite make-checkpoint --card "$card" --part detector -o detector.pth
printf '   checkpoint: %s bytes\n' "$(stat -c %s detector.pth)"
convert_figures
size_figures
memory_figures
speed_figures
if ((extract)); then extract_figures; fi
