#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "verify/examination.h"
#include "verify/numbers.h"
#include "verify/saved_tensors.h"
#include "watermark/detector_model.h"

namespace sealite::verify {
namespace {

class DetectorRunner : public Runner {
 public:
  DetectorRunner(runtime::CompiledModel model, std::int64_t free_size)
      : detector_(std::move(model), free_size) {}
  std::vector<float> run(const Picture& picture) override {
    return detector_.unchecked_logits(picture.planes);
  }
  std::int64_t height() const override { return detector_.height(); }
  std::int64_t width() const override { return detector_.width(); }
  std::int64_t bits() const override { return static_cast<std::int64_t>(detector_.bits()); }
  bool fully_delegated() const override { return detector_.fully_delegated(); }

 private:
  watermark::DetectorModel detector_;
};

struct Flips {
  std::size_t bits = 0;
  std::size_t flipped = 0;
  double largest = 0;  // of the original's logits whose bit flipped
  double typical = 0;  // root mean square of the original's logits
};

Flips count_flips(const Examination& examination, const std::vector<Expected>& expected) {
  Flips flips;
  double norm = 0;
  for (const auto& [picture, wanted] : expected) {
    const std::vector<float>& found = examination.outputs[picture];
    for (const float logit : wanted) norm += static_cast<double>(logit) * static_cast<double>(logit);
    for (std::size_t i = 1; i < wanted.size(); ++i) {  // column 0 is the unused detection bit
      ++flips.bits;
      if ((wanted[i] > 0) == (found[i] > 0)) continue;
      ++flips.flipped;
      flips.largest = std::max(flips.largest, std::abs(static_cast<double>(wanted[i])));
    }
  }
  flips.typical = std::sqrt(norm / static_cast<double>(flips.bits + expected.size()));
  return flips;
}

struct Spread {
  std::size_t count = 0;
  std::size_t broken = 0;
  double deviation = 0;
  double ones = 0;  // share
};

Spread measure_spread(const std::vector<std::vector<float>>& outputs) {
  Spread spread;
  double sum = 0;
  double squares = 0;
  std::size_t ones = 0;
  for (const std::vector<float>& logits : outputs) {
    for (std::size_t i = 1; i < logits.size(); ++i) {
      const auto value = static_cast<double>(logits[i]);
      spread.broken += std::isfinite(value) ? 0U : 1U;
      ones += value > 0 ? 1U : 0U;
      sum += value;
      squares += value * value;
      ++spread.count;
    }
  }
  const auto all = static_cast<double>(spread.count);
  spread.deviation = std::sqrt(std::max(0.0, squares / all - sum / all * (sum / all)));
  spread.ones = static_cast<double>(ones) / all;
  return spread;
}

class DetectorKind : public ModelKind {
 public:
  const KindNames& names() const override { return names_; }

  OriginalNetwork network(const model::Card& card) const override {
    const std::shared_ptr<const model::DetectorNetwork> network = model::make_detector(card);
    return {network->parameters(),
            [network](const model::Weights& weights, const model::InterfaceOptions& options) {
              return model::build_detector_graph(*network, weights, options);
            }};
  }

  std::unique_ptr<Runner> load(runtime::CompiledModel model, std::int64_t free_size) const override {
    return std::make_unique<DetectorRunner>(std::move(model), free_size);
  }

  // A pixelwise model's [1,H,W,1 + bits] are averaged over pixels.
  std::vector<float> values(const evaluate::Tensor& output) const override {
    return watermark::average_pixels(output.values, static_cast<std::size_t>(output.shape.back()),
                                     ImageLayout::kNhwc);
  }

  void add_messages(std::span<Picture> /*pictures*/, std::int64_t /*bits*/) const override {}

  void read_saved(const SavedTensors& saved, std::span<Picture> pictures,
                  std::int64_t /*bits*/) const override {
    const checkpoint::NumpyArray logits = saved.array({"logits"});
    const auto count = static_cast<std::int64_t>(pictures.size());
    if (logits.shape.size() != 2 || logits.shape[0] != count || logits.shape[1] < 2) {
      fail(ErrorCode::kMismatch, "'{}': `logits` is {}, expected [{}, 1 + bits]", saved.path().string(),
           to_string(logits.shape), count);
    }
    const auto columns = static_cast<std::size_t>(logits.shape[1]);
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      const auto row = std::span(logits.values).subspan(i * columns, columns);
      pictures[i].saved.emplace(row.begin(), row.end());
    }
  }

  void check_plausible(Examination& examination, Runner& runner) const override;
  bool check_purpose(Examination& examination, const std::vector<Expected>& expected,
                     const ComparedWith& original) const override;

 private:
  KindNames names_{"detector", "detect", {"image"}, "logits", "Logits"};
};

void DetectorKind::check_plausible(Examination& examination, Runner& /*runner*/) const {
  const Spread spread = measure_spread(examination.outputs);
  std::vector<Figure> figures = {
      {"logits that are no numbers", static_cast<double>(spread.broken), "", 0, {}},
      {"spread of the logits (standard deviation)", spread.deviation, "", 1e3, 1e-4},
      {"share of ones", spread.ones, "", 0.95, 0.05},
  };
  std::string finding = fmt::format(
      "{} logits, spread {:.3g}, {:.1f} % ones (bits of unmarked pictures are near "
      "50 %, of a trained model).",
      spread.count, spread.deviation, 100 * spread.ones);
  if (examination.outputs.size() > 1) {
    double variety = 0;
    for (const auto& logits : examination.outputs)
      variety = std::max(variety, largest_difference(examination.outputs[0], logits));
    figures.push_back({"difference between pictures", variety, "", {}, 1e-6});
    if (variety < 1e-6) finding = "Every picture gets the same logits: the model does not look at its input.";
  }
  add_check(examination.report, checks::kPlausible, finding, std::move(figures));
}

bool DetectorKind::check_purpose(Examination& examination, const std::vector<Expected>& expected,
                                 const ComparedWith& original) const {
  const Flips flips = count_flips(examination, expected);
  const double agreement = 1 - static_cast<double>(flips.flipped) / static_cast<double>(flips.bits);
  const std::string which =
      flips.flipped == 0
          ? std::string("no bit flipped")
          : fmt::format("{} flipped; the largest logit that did is {:.2g}, a typical one {:.2g}",
                        flips.flipped, flips.largest, flips.typical);
  return add_check(examination.report, original.bits,
                   fmt::format("{} of {} bits agree: {}.", flips.bits - flips.flipped, flips.bits, which),
                   {{"bit agreement", 100 * agreement, "%", {}, 100 * examination.limits.agreement},
                    {"largest flipped logit", flips.largest, "", {}, {}},
                    {"typical logit (rms)", flips.typical, "", {}, {}}})
             .outcome == CheckOutcome::kPass;
}

}  // namespace

const ModelKind& detector_kind() {
  static const DetectorKind kKind;
  return kKind;
}

}  // namespace sealite::verify
