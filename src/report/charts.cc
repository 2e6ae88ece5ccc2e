#include "report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/html.h"

namespace sealite::report {
namespace {

constexpr double kWidth = 440;
constexpr double kHeight = 250;
constexpr double kLeft = 44;
constexpr double kRight = 432;
constexpr double kTop = 26;
constexpr double kBottom = 214;

// A chart's frame: axes, tick labels, and lines in data coordinates (0 to 1 in both directions).
class Plot {
 public:
  explicit Plot(const std::string& label)
      : svg_(fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" fill=\"none\">\n", kWidth,
                         kHeight, escaped(label))) {
    line(kLeft, kBottom, kRight, kBottom, "frame");
  }

  static double x(double share) { return kLeft + share * (kRight - kLeft); }
  static double y(double share) { return kBottom - share * (kBottom - kTop); }

  void tick_x(double share, const std::string& text) {
    line(x(share), kBottom, x(share), kBottom + 4, "frame");
    label(x(share), kBottom + 16, text, share < 0.05 ? "start" : share > 0.95 ? "end" : "middle");
  }
  void tick_y(double share, const std::string& text) {
    line(kLeft, y(share), kRight, y(share), "frame");
    label(kLeft - 6, y(share) + 4, text, "end");
  }
  void title_x(const std::string& text) { label((kLeft + kRight) / 2, kHeight - 4, text, "middle"); }
  void key(double at, const std::string& kind, const std::string& text) {
    svg_ += fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"8\" width=\"10\" height=\"10\"/>\n", kind, at);
    label(at + 15, 17, text, "start");
  }
  void limit(double share) { line(kLeft, y(share), kRight, y(share), "limit"); }
  void path(const std::string& points, const std::string& kind) {
    svg_ += fmt::format("<path class=\"{}\" stroke-width=\"2\" d=\"{}\"/>\n", kind, points);
  }
  void stem(double at, double height, double width, bool worst) {
    svg_ +=
        fmt::format("<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\"/>\n",
                    worst ? "worst" : "fill", x(at), y(height), width, std::max(0.5, kBottom - y(height)));
  }
  std::string finish() { return svg_ + "</svg>\n"; }

 private:
  void line(double x1, double y1, double x2, double y2, const char* kind) {
    svg_ += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                        kind, x1, y1, x2, y2);
  }
  void label(double at_x, double at_y, const std::string& text, const char* anchor) {
    svg_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", at_x, at_y, anchor,
                        escaped(text));
  }

  std::string svg_;
};

constexpr std::size_t kBins = 48;
using Bins = std::array<std::size_t, kBins>;

Bins count(const std::vector<float>& values, double low, double high) {
  Bins bins{};
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const double share = (static_cast<double>(value) - low) / (high - low);
    ++bins.at(static_cast<std::size_t>(std::clamp(share * kBins, 0.0, kBins - 1.0)));
  }
  return bins;
}

std::string outline(const Bins& bins, std::size_t tallest) {
  std::string points = fmt::format("M{:.1f} {:.1f}", Plot::x(0), Plot::y(0));
  for (std::size_t i = 0; i < kBins; ++i) {
    const double top = Plot::y(static_cast<double>(bins[i]) / static_cast<double>(tallest));
    points += fmt::format("V{:.1f}H{:.1f}", top, Plot::x(static_cast<double>(i + 1) / kBins));
  }
  return points + fmt::format("V{:.1f}", Plot::y(0));
}

// A round step that cuts `range` into about `parts`.
double round_step(double range, int parts) {
  const double rough = range / parts;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double digit = rough / power;
  return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

struct HistogramText {
  std::size_t skipped;  // values at the beginning of each output
  const char* label;
  const char* axis;
};

std::vector<float> all_values(const std::vector<ComparedOutput>& outputs, std::size_t skipped,
                              std::vector<float> ComparedOutput::* side) {
  std::vector<float> values;
  for (const ComparedOutput& output : outputs) {
    const std::vector<float>& from = output.*side;
    if (from.size() > skipped)
      values.insert(values.end(), from.begin() + static_cast<std::ptrdiff_t>(skipped), from.end());
  }
  return values;
}

std::string histogram(const std::vector<ComparedOutput>& outputs, const HistogramText& text) {
  const std::vector<float> reference = all_values(outputs, text.skipped, &ComparedOutput::reference);
  const std::vector<float> found = all_values(outputs, text.skipped, &ComparedOutput::found);
  double bound = 1e-6;
  for (const auto* values : {&reference, &found}) {
    for (const float value : *values) {
      if (std::isfinite(value)) bound = std::max(bound, std::abs(static_cast<double>(value)));
    }
  }
  const Bins wanted = count(reference, -bound, bound);
  const Bins made = count(found, -bound, bound);
  const std::size_t tallest =
      std::max<std::size_t>(1, std::max(*std::ranges::max_element(wanted), *std::ranges::max_element(made)));
  Plot plot(text.label);
  const double step = std::max(1.0, round_step(static_cast<double>(tallest), 4));
  for (double at = step; at <= static_cast<double>(tallest); at += step)
    plot.tick_y(at / static_cast<double>(tallest), number(at));
  const double stride = round_step(2 * bound, 6);
  for (double at = -std::floor(bound / stride) * stride; at <= bound; at += stride)
    plot.tick_x((at + bound) / (2 * bound), number(std::abs(at) < stride / 2 ? 0 : at));
  plot.path(outline(wanted, tallest), "one");
  plot.path(outline(made, tallest), "two");
  plot.key(kLeft, "key1", "original");
  plot.key(kLeft + 90, "key2", "model");
  plot.title_x(text.axis);
  return plot.finish();
}

}  // namespace

std::string logit_histogram(const std::vector<ComparedOutput>& logits) {
  return histogram(
      logits, {1, "Histogram of the logits of the original and of the model", "logit; above 0 the bit is 1"});
}

std::string delta_histogram(const std::vector<ComparedOutput>& deltas) {
  return histogram(deltas, {0, "Histogram of the deltas of the original and of the model", "value of delta"});
}

std::string layer_chart(const std::vector<LayerDifference>& layers, double limit) {
  double low = limit;
  double high = limit;
  for (const LayerDifference& layer : layers) {
    if (layer.error > 0) low = std::min(low, layer.error);
    if (std::isfinite(layer.error)) high = std::max(high, layer.error);
  }
  const double floor = std::floor(std::log10(std::max(low, 1e-12)));
  const double ceiling = std::max(floor + 1, std::ceil(std::log10(high) + 1e-9));
  const auto height = [&](double error) {
    if (!(error > 0)) return 0.0;
    return std::isfinite(error) ? std::clamp((std::log10(error) - floor) / (ceiling - floor), 0.0, 1.0) : 1.0;
  };
  Plot plot("Relative difference of each layer's output, in running order");
  const double step = std::ceil((ceiling - floor) / 6);
  for (double power = floor; power <= ceiling; power += step)
    plot.tick_y((power - floor) / (ceiling - floor), fmt::format("1e{:.0f}", power));
  const double count = static_cast<double>(layers.size());
  const double width = (kRight - kLeft) / count;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool beyond = !(layers[i].error <= limit);
    plot.stem(static_cast<double>(i) / count, height(layers[i].error), std::max(0.8, width * 0.75), beyond);
  }
  plot.limit(height(limit));
  plot.key(kLeft, "key1", "difference");
  plot.key(kLeft + 95, "key3", fmt::format("limit {}, and beyond it", number(limit)));
  plot.title_x(fmt::format("layer 1 to {}, as they run", layers.size()));
  return plot.finish();
}

}  // namespace sealite::report
