#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "report/charts.h"
#include "report/html.h"
#include "sealite/verify.h"
#include "verify/check_names.h"

namespace sealite {
namespace {

using report::escaped;
using report::number;

constexpr std::size_t kMaxRows = 40;

struct Words {
  const char* tone;
  const char* text;
};

Words words_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kMatches:
      return {"good", "✓ Matches"};
    case Verdict::kFails:
      return {"bad", "✗ Fails"};
    case Verdict::kCannotTell:
      return {"open", "? Cannot tell"};
  }
  return {"open", "?"};
}

Words words_of(CheckOutcome outcome) {
  switch (outcome) {
    case CheckOutcome::kPass:
      return {"good", "✓"};
    case CheckOutcome::kFail:
      return {"bad", "✗"};
    case CheckOutcome::kSkipped:
      return {"open", "–"};
  }
  return {"open", "?"};
}

std::string seconds(double value) {
  return value < 1 ? fmt::format("{} ms", number(value * 1000)) : fmt::format("{} s", number(value));
}

bool is_embedder(const VerifyReport& result) {
  return result.part == "embedder";
}

// 1024 bits would not fit on a phone.
std::string short_message(const std::string& hex) {
  return hex.size() <= 16 ? hex : hex.substr(0, 16) + "…";
}

std::string header(const VerifyReport& result) {
  const Words words = words_of(result.verdict);
  const std::string name = escaped(result.model.filename().string());
  std::string verdict = words.text;
  if (result.verdict == Verdict::kMatches)
    verdict += " " + escaped(fmt::format("{}", fmt::join(result.compared, " and ")));
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}: {}</title>\n<style>{}</style>\n</head>\n<body>\n",
      name, verdict, report::style_sheet());
  html += fmt::format("<h1>{}</h1>\n<div class=\"verdict {}\"><strong>{}</strong>{}</div>\n", name,
                      words.tone, verdict, escaped(result.reason));
  return html;
}

std::string facts(const VerifyReport& result) {
  std::string html = "<dl class=\"facts\">\n";
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, escaped(value));
  };
  add("Part", result.part);
  add("Card", result.card);
  add("Precision", result.precision);
  add("Size", fmt::format("{:.2f} MiB", static_cast<double>(result.bytes) / (1U << 20U)));
  add("Operators", fmt::format("{}", result.operators));
  if (result.run_seconds > 0) {
    add("Load", seconds(result.load_seconds));
    add("First run", seconds(result.first_run_seconds));
    add("Run, one thread", seconds(result.run_seconds));
  }
  add("Verification", seconds(result.total_seconds));
  return html + "</dl>\n";
}

std::string figure_item(const Figure& figure) {
  const bool pass = (!figure.at_most || figure.value <= *figure.at_most) &&
                    (!figure.at_least || figure.value >= *figure.at_least);
  std::string bounds;
  if (figure.at_least) bounds += fmt::format(" ≥ {}", number(*figure.at_least));
  if (figure.at_most) bounds += fmt::format(" ≤ {}", number(*figure.at_most));
  return fmt::format("<li{}>{}: <b>{}{}{}</b>{}</li>", pass ? "" : " class=\"bad\"", escaped(figure.name),
                     number(figure.value), figure.unit.empty() ? "" : " ", escaped(figure.unit),
                     bounds.empty() ? bounds : fmt::format(" (wanted{})", bounds));
}

std::string checks(const VerifyReport& result) {
  std::string html = "<h2>Checks</h2>\n";
  for (const Check& check : result.checks) {
    const Words words = words_of(check.outcome);
    html += fmt::format("<div class=\"check {}\"><h3><b>{}</b> {}</h3><p>{}</p>", words.tone, words.text,
                        escaped(check.title), escaped(check.finding));
    if (!check.figures.empty()) html += "<ul class=\"figures\">";
    for (const Figure& figure : check.figures) html += figure_item(figure);
    html += check.figures.empty() ? "</div>\n" : "</ul></div>\n";
  }
  return html;
}

std::string charts(const VerifyReport& result) {
  std::string html;
  const bool embedder = is_embedder(result);
  if (!result.outputs.empty()) {
    html += fmt::format(
        "<figure>{}<figcaption>All {} of {} picture{}. Where the outlines cover each other, "
        "original and model agree.</figcaption></figure>\n",
        embedder ? report::delta_histogram(result.outputs) : report::logit_histogram(result.outputs),
        embedder ? "deltas" : "logits", result.outputs.size(), result.outputs.size() == 1 ? "" : "s");
  }
  const auto check = std::ranges::find(result.checks, verify::checks::kLayers.name, &Check::name);
  if (!result.layers.empty() && check != result.checks.end() && !check->figures.empty()) {
    html += fmt::format(
        "<figure>{}<figcaption>Norm of the difference / norm of the original's output, file's weights "
        "in Sealite's float32 evaluator.</figcaption></figure>\n",
        report::layer_chart(result.layers, check->figures[0].at_most.value_or(1)));
  }
  if (html.empty()) return html;
  return fmt::format("<h2>{} and layers</h2>\n<div class=\"charts\">\n{}</div>\n",
                     embedder ? "Deltas" : "Logits", html);
}

std::string marked_pictures(const VerifyReport& result) {
  if (result.marked.empty()) return {};
  std::string html =
      "<h2>Marked pictures</h2>\n<div class=\"scroll\"><table><tr><th>Picture</th><th>Message</th><th "
      "class=\"number\">Size</th>"
      "<th class=\"number\">Model against reference</th><th class=\"number\">Model against the picture</th>"
      "<th class=\"number\">Reference against the picture</th></tr>\n";
  const std::size_t shown = std::min(result.marked.size(), kMaxRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const MarkedPicture& marked = result.marked[i];
    html += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"number\">{} × {}</td><td class=\"number\">{} dB</td><td "
        "class=\"number\">{} dB</td>"
        "<td class=\"number\">{} dB</td></tr>\n",
        escaped(marked.picture), short_message(marked.message), marked.width, marked.height,
        number(marked.model_against_reference), number(marked.model_against_picture),
        number(marked.reference_against_picture));
  }
  html += "</table></div>\n";
  if (shown < result.marked.size())
    html += fmt::format("<p class=\"soft\">and {} more.</p>\n", result.marked.size() - shown);
  return html +
         "<p class=\"soft\">PSNR of 8-bit pictures, those of files in full size; ∞: the same picture.</p>\n";
}

std::string flipped_bits(const VerifyReport& result) {
  std::string rows;
  std::size_t flipped = 0;
  for (const ComparedOutput& pair : result.outputs) {
    for (std::size_t i = 1; i < std::min(pair.reference.size(), pair.found.size()); ++i) {
      if ((pair.reference[i] > 0) == (pair.found[i] > 0)) continue;
      if (++flipped > kMaxRows) continue;
      rows += fmt::format(
          "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
          "<td class=\"number\">{}</td></tr>\n",
          escaped(pair.picture), i - 1, number(static_cast<double>(pair.reference[i])),
          number(static_cast<double>(pair.found[i])));
    }
  }
  if (result.outputs.empty() || is_embedder(result)) return {};
  std::string html = "<h2>Flipped bits</h2>\n";
  if (flipped == 0) return html + "<p>None: every bit is the original's.</p>\n";
  html +=
      "<div class=\"scroll\"><table><tr><th>Picture</th><th class=\"number\">Bit</th><th "
      "class=\"number\">Original's "
      "logit</th><th class=\"number\">Model's</th></tr>\n" +
      rows + "</table></div>\n";
  if (flipped > kMaxRows) html += fmt::format("<p class=\"soft\">and {} more.</p>\n", flipped - kMaxRows);
  return html;
}

std::string worst_weights(const VerifyReport& result) {
  if (result.weights.empty()) return {};
  std::string html =
      "<h2>Stored weights farthest from the checkpoint's</h2>\n<div "
      "class=\"scroll\"><table><tr><th>Weight</th>"
      "<th>Stored as</th><th class=\"number\">Row</th><th class=\"number\">Relative</th><th "
      "class=\"number\">Rounding "
      "steps</th></tr>\n";
  for (const WeightDifference& weight : result.weights) {
    const bool integers = weight.type == "int8" || weight.type == "int4";
    html += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td></tr>\n",
        escaped(weight.name), weight.type, weight.row, number(weight.error),
        integers ? number(weight.in_steps) : "–");
  }
  return html + "</table></div>\n";
}

}  // namespace

void write_verify_report(const VerifyReport& result, const std::string& command,
                         const std::filesystem::path& output) {
  std::string html = header(result) + facts(result) + checks(result) + charts(result) +
                     marked_pictures(result) + flipped_bits(result) + worst_weights(result);
  html += fmt::format(
      "<h2>To repeat it</h2>\n<pre>{}</pre>\n<p class=\"soft\">Made by sealite {}. The limits are "
      "explained in docs/verification.md.</p>\n</body>\n</html>\n",
      escaped(command), SEALITE_VERSION);
  AtomicFile file(output);
  file.write(0, as_bytes(html));
  file.commit();
}

}  // namespace sealite
