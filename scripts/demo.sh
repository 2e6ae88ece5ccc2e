#!/usr/bin/env bash
# `make demo`: (a) the trained demo checkpoint, converted and verified, marks a photo and reads the mark back; (b) a full-size
# ChunkySeal checkpoint (774 M parameters) is made, converted and run, with time and memory. KEEP=1 keeps its files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sealite=${SEALITE:-build/release/bin/sealite}
work=build/demo
message=CD750D7D
big_checkpoint=$work/chunkyseal_detector_only.pth
big_copy=$work/copy.pth
big_model=$work/chunkyseal_detector_only.tflite

clean_up() {
  rm -f "$big_copy"
  if [[ ${KEEP:-0} != 1 ]]; then rm -f "$big_checkpoint" "$big_model"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

die() {
  printf 'demo: error: %s\n' "$*" >&2
  exit 1
}

say() { printf '\n== %s\n' "$*"; }

show() {
  printf '$ %s\n' "$*"
  "$@"
}

# json_number FILE KEY: the first number under that key.
json_number() {
  local number
  number=$(grep -oE "\"$2\"[[:space:]]*:[[:space:]]*-?[0-9.]+([eE][-+]?[0-9]+)?" "$1" | head -n 1 | sed 's/.*:[[:space:]]*//') || true
  [[ -n $number ]] || die "no number \"$2\" in the --json output: $(cat "$1")"
  echo "$number"
}

holds() { awk "BEGIN { exit !($1) }"; }

# detect_demo PICTURE NAME: shows the reading, and leaves it as NAME.json.
detect_demo() {
  show "$sealite" detect "$work/demo.detector.tflite" "$1" --expect "$message"
  "$sealite" detect "$work/demo.detector.tflite" "$1" --expect "$message" --json >"$work/$2.json"
}

small_demo() {
  rm -f "$work"/demo.{detector,embedder}.tflite # of an older version, perhaps
  say "A trained checkpoint becomes two models: one marks pictures, one reads them"
  show "$sealite" convert assets/demo.pth -o "$work/demo.tflite" --card assets/demo.card.yaml --part both

  say "Both compute what the checkpoint computes"
  show "$sealite" verify "$work/demo.embedder.tflite" --checkpoint assets/demo.pth --card assets/demo.card.yaml --images assets/coffee.png
  show "$sealite" verify "$work/demo.detector.tflite" --checkpoint assets/demo.pth --card assets/demo.card.yaml \
    --images assets/coffee.png --report "$work/verify.html"

  say "A photo gets the mark $message"
  rm -f "$work/marked.jpg"
  show "$sealite" embed "$work/demo.embedder.tflite" assets/coffee.png -o "$work/marked.jpg" --quality 90 --message "$message"
  detect_demo "$work/marked.jpg" marked
  local matches p
  matches=$(json_number "$work/marked.json" matches)
  p=$(json_number "$work/marked.json" p_value)
  [[ $matches == 32 ]] || die "the marked photo matches $matches of 32 bits, expected 32"
  holds "$p > 2.2e-10 && $p < 2.4e-10" || die "the marked photo has p = $p, expected 2.3e-10"

  say "The same photo without a mark: chance"
  detect_demo assets/coffee.png unmarked
  p=$(json_number "$work/unmarked.json" p_value)
  holds "$p > 0.01" || die "the unmarked photo has p = $p: it should read as chance (> 0.01)"
}

free_disk_mib() { df --output=avail -BM "$work" | tail -n 1 | tr -dc '0-9'; }

free_memory_mib() {
  local free limit used
  free=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  # In a container the group's limit counts as well.
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit != max ]]; then
    used=$(cat /sys/fs/cgroup/memory.current)
    limit=$(((limit - used) / 1048576))
    ((limit < free)) && free=$limit
  fi
  echo "$free"
}

# measure NAME COMMAND...: runs it under /usr/bin/time -v, whose report goes to NAME.time.
measure() {
  local name=$1
  shift
  printf '$ %s\n' "$*"
  /usr/bin/time -v -o "$work/$name.time" "$@" || die "'$1 $2' failed (above)"
}

seconds_of() {
  awk '/Elapsed \(wall clock\)/ { n = split($NF, part, ":"); s = 0; for (i = 1; i <= n; ++i) s = s * 60 + part[i]; print s }' \
    "$work/$1.time"
}
resident_of() { awk '/Maximum resident/ { printf "%.0f\n", $NF / 1024 }' "$work/$1.time"; }
size_of() { awk -v bytes="$(stat -c %s "$1")" 'BEGIN { printf "%.1f\n", bytes / 1048576 }'; }

full_size_demo() {
  local disk memory
  disk=$(free_disk_mib)
  memory=$(free_memory_mib)
  if ((disk < 7 * 1024)); then
    say "Full size: skipped, it needs 7168 MiB of disk and $work has $disk"
    return
  fi
  if ((memory < 9 * 1024)); then
    say "Full size: skipped, running it needs 9216 MiB of free memory and there are $memory"
    return
  fi

  say "Full size: a ChunkySeal detector, 774 M parameters with random weights"
  show "$sealite" make-checkpoint --card chunkyseal --part detector -o "$big_checkpoint"
  sync -f "$work" # else the next two would also pay for writing this back
  measure cp cp "$big_checkpoint" "$big_copy"
  rm -f "$big_copy"
  sync -f "$work"
  measure convert "$sealite" convert "$big_checkpoint" -o "$big_model" --card chunkyseal
  sync -f "$work"
  say "Full size: reading a photo"
  measure detect "$sealite" detect "$big_model" assets/coffee.png --no-cache

  local cp_s convert_s
  cp_s=$(seconds_of cp)
  convert_s=$(seconds_of convert)
  say "Full size: time and memory"
  printf '%-22s %10s %16s %12s\n' step 'wall (s)' 'peak RSS (MiB)' 'file (MiB)'
  printf '%-22s %10s %16s %12s\n' 'cp of the checkpoint' "$cp_s" "$(resident_of cp)" "$(size_of "$big_checkpoint")"
  printf '%-22s %10s %16s %12s\n' 'sealite convert' "$convert_s" "$(resident_of convert)" "$(size_of "$big_model")"
  printf '%-22s %10s %16s %12s\n' 'sealite detect' "$(seconds_of detect)" "$(resident_of detect)" ''
  awk -v convert="$convert_s" -v cp="$cp_s" 'BEGIN { if (cp > 0) printf "convert / cp = %.2f\n", convert / cp }'
  if [[ ${KEEP:-0} == 1 ]]; then echo "kept: $big_checkpoint $big_model"; fi
}

[[ -x $sealite ]] || die "no $sealite; run 'make' first"
mkdir -p "$work"
small_demo
full_size_demo
say "demo: done"
