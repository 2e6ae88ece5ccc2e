#!/usr/bin/env bash
# usage: run_report_test.sh SEALITE [SCREENSHOT.png]
# The verification reports of a detector and an embedder in Debian's chromium, headless: they load nothing, run nothing, fit a phone,
# have their charts and both colour schemes. With a second argument a screenshot of the detector's is left there. Exit 77 (skipped) without a browser.
set -euo pipefail
sealite=$1
screenshot=${2:-}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export SEALITE_LITERT=${SEALITE_LITERT:-$PWD/build/litert/libLiteRt.so}

if ! command -v chromium >/dev/null; then
  echo "skipped: no chromium here (scripts/setup.sh --tests installs it)"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$sealite" convert assets/demo.pth -o "$work/demo.tflite" --part both --quantize int8 >/dev/null
for part in embedder detector; do
  "$sealite" verify "$work/demo.$part.tflite" --checkpoint assets/demo.pth \
    --images assets/coffee.png tests/reference/photos/astronaut.png --report "$work/$part.html" >/dev/null
done

browse() {
  timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files \
    --user-data-dir="$work/profile" "$@" 2>/dev/null
}

# A page in frames as wide as a phone and a desk; what it measures ends up in the title.
cat >"$work/frames.html" <<'HTML'
<!DOCTYPE html><title>none</title>
<iframe id="phone" src="report.html" style="width:390px;height:800px;border:0"></iframe>
<iframe id="desk" src="report.html" style="width:1280px;height:800px;border:0"></iframe>
<script>
addEventListener('load', () => {
  const facts = [];
  for (const id of ['phone', 'desk']) {
    const frame = document.getElementById(id), page = frame.contentDocument;
    const wide = page.documentElement.scrollWidth <= frame.clientWidth ? 'fits' : 'too wide';
    facts.push(`${id} ${wide}`);
  }
  const view = document.getElementById('desk').contentWindow, page = view.document;
  facts.push(`charts ${page.querySelectorAll('svg').length}`);
  facts.push(`loads ${view.performance.getEntriesByType('resource').length}`);
  facts.push(`scripts ${page.scripts.length}`);
  facts.push(`verdict ${page.querySelector('.verdict strong').textContent}`);
  facts.push(`background ${view.getComputedStyle(page.body).backgroundColor}`);
  document.title = facts.join(', ');
});
</script>
HTML

expect() { # SCHEME NUMBER BACKGROUND
  local wanted found
  wanted="<title>phone fits, desk fits, charts 2, loads 0, scripts 0, verdict ✓ Matches its checkpoint (Sealite's own float32 evaluator), background $3</title>"
  found=$(browse --blink-settings=preferredColorScheme="$2" --window-size=1800,900 --virtual-time-budget=5000 \
    --dump-dom "file://$work/frames.html" | grep -o '<title>.*</title>' || true)
  if [[ $found != "$wanted" ]]; then
    printf '%s, %s scheme:\n  wanted %s\n  found  %s\n' "$part" "$1" "$wanted" "$found"
    exit 1
  fi
}
for part in embedder detector; do
  cp "$work/$part.html" "$work/report.html"
  expect light 1 'rgb(255, 255, 255)'
  expect dark 0 'rgb(20, 23, 27)'
done
browse --no-pdf-header-footer --print-to-pdf="$work/report.pdf" "file://$work/report.html"
[[ $(head -c 5 "$work/report.pdf") == %PDF- ]] || { echo "it cannot be printed"; exit 1; }
if [[ -n $screenshot ]]; then
  browse --window-size=1000,2000 --screenshot="$screenshot" "file://$work/report.html"
fi
echo "the report: phone, desk, light, dark and paper"
