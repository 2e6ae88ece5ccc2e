#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"

namespace sealite::report {
namespace {

std::string_view escape_of(char letter) {
  switch (letter) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0 || !is_showable(text.substr(0, length))) {
      result += text[0] == '\n' ? '\n' : '?';
    } else if (const std::string_view escape = escape_of(text[0]); !escape.empty()) {
      result += escape;
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return result;
}

std::string number(double value) {
  if (std::isnan(value)) return "not a number";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  const double size = std::abs(value);
  if (value == std::floor(value) && size < 1e7) return fmt::format("{:.0f}", value);
  return size >= 1e-3 && size < 1e7 ? fmt::format("{:.3g}", value) : fmt::format("{:.2g}", value);
}

std::string_view style_sheet() {
  return R"css(
:root { color-scheme: light dark; --page: #fff; --card: #f5f6f8; --ink: #1b1f24; --soft: #57606a; --line: #d5dae0;
  --good: #116329; --bad: #b3261e; --open: #7a5200; --one: #1f62c9; --two: #c2570c; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1e2329; --ink: #e8ebef; --soft: #a3adb8;
  --line: #39414a; --good: #63c77c; --bad: #ff8f86; --open: #e3b341; --one: #79b0ff; --two: #ffa057; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.25rem; font-weight: 600; }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.1rem; }
p { margin: .4rem 0; }
.soft, figcaption { color: var(--soft); font-size: .9rem; }
.verdict { margin: .8rem 0; padding: 1rem 1.2rem; border-radius: .6rem; background: var(--card);
  border-left: .5rem solid var(--tone); }
.verdict strong { display: block; font-size: 2rem; line-height: 1.2; color: var(--tone); }
.good { --tone: var(--good); } .bad { --tone: var(--bad); } .open { --tone: var(--open); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .5rem; margin: 0; }
.facts div { background: var(--card); border-radius: .5rem; padding: .5rem .8rem; }
.facts dt { color: var(--soft); font-size: .85rem; } .facts dd { margin: 0; font-weight: 600; }
.check { padding: .7rem 0; border-top: 1px solid var(--line); break-inside: avoid; }
.check h3 { margin: 0; font-size: 1rem; } .check h3 b { color: var(--tone); }
.figures { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; margin: .2rem 0 0; padding: 0; list-style: none;
  color: var(--soft); font-size: .9rem; }
.figures b { color: var(--ink); font-variant-numeric: tabular-nums; } .figures .bad b { color: var(--bad); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.2rem; }
figure { margin: 0; break-inside: avoid; } svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 11px system-ui, "DejaVu Sans", sans-serif; } svg .frame { stroke: var(--line); }
svg .one { stroke: var(--one); } svg .two { stroke: var(--two); } svg .limit { stroke: var(--bad); stroke-dasharray: 4 3; }
svg .fill { fill: var(--one); stroke: none; } svg .worst { fill: var(--bad); stroke: none; }
svg .key1 { fill: var(--one); } svg .key2 { fill: var(--two); } svg .key3 { fill: var(--bad); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { margin: 0; padding: .8rem 1rem; border-radius: .5rem; background: var(--card); white-space: pre-wrap; font-size: .85rem; }
@media print { :root { --page: #fff; --card: #f5f6f8; --ink: #000; --soft: #444; --line: #bbb; --good: #116329;
  --bad: #b3261e; --open: #7a5200; --one: #1f62c9; --two: #c2570c; } body { max-width: none; padding: 0; font-size: 11pt; }
  .verdict, .facts div, pre { border: 1px solid var(--line); print-color-adjust: exact; } }
)css";
}

}  // namespace sealite::report
