#!/usr/bin/env bash
# Line coverage of checkpoint/, model_file/, tflite/, quantize/ and watermark/ by the unit tests of these folders, the library's
# detector and embedder (which run what watermark/ does with LiteRT), and the replayed fuzz corpora; fails below 90 % in
# one of them. The lines that were not reached: build/coverage/report/*.html.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folders=(checkpoint model_file tflite quantize watermark)
scripts/setup.sh --coverage
cmake --preset coverage
replays=$(for file in fuzz/*.cc; do name=$(basename "$file" .cc); [[ $name == replay ]] || echo "replay_$name"; done)
cmake --build --preset coverage -j "${1:-$(nproc)}" --target "${folders[@]/%/_tests}" api_tests $replays
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage -j "${1:-$(nproc)}" -R "^($(IFS='|'; echo "${folders[*]}")|fuzz)\\.|^api\\..*(GoldenPhotos|GoldenDemo|Detect|Embed)" -LE slow --output-on-failure |
  tail -n 12
mkdir -p build/coverage/report
status=0
# --gcov-ignore-parse-errors: a thread that libvips still holds at exit leaves a function half counted, whose branches gcov
# gives as "taken -1", on which gcovr would give up.
for folder in "${folders[@]}"; do
  printf '%-12s' "$folder/"
  gcovr --root . --filter "src/$folder/" --exclude-throw-branches --gcov-ignore-parse-errors \
    --html-details "build/coverage/report/$folder.html" --print-summary --fail-under-line 90 build/coverage |
    sed -n 's/^lines: /lines covered: /p' || status=1
done
exit $status
