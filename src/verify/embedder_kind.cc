#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/embedder_graph.h"
#include "verify/examination.h"
#include "verify/marked_pictures.h"
#include "verify/mixed_bits.h"
#include "verify/numbers.h"
#include "verify/saved_tensors.h"
#include "watermark/embedder_model.h"

namespace sealite::verify {
namespace {

// Far below what one bit changes, far above rounding: a message or picture that is not read changes nothing.
constexpr double kLeastEffect = 1e-6;

class EmbedderRunner : public Runner {
 public:
  explicit EmbedderRunner(runtime::CompiledModel model) : embedder_(std::move(model)) {}
  std::vector<float> run(const Picture& picture) override {
    return embedder_.unchecked_delta(picture.planes, picture.message).data;
  }
  std::int64_t height() const override { return embedder_.height(); }
  std::int64_t width() const override { return embedder_.width(); }
  std::int64_t bits() const override { return static_cast<std::int64_t>(embedder_.bits()); }
  bool fully_delegated() const override { return embedder_.fully_delegated(); }

 private:
  watermark::EmbedderModel embedder_;
};

struct DeltaRange {
  std::size_t count = 0;
  std::size_t broken = 0;
  double largest = 0;
  double least_spread = INFINITY;  // standard deviation within the flattest delta
};

DeltaRange measure_range(const std::vector<std::vector<float>>& outputs) {
  DeltaRange range;
  for (const std::vector<float>& delta : outputs) {
    double sum = 0;
    for (const float value : delta) {
      range.broken += std::isfinite(value) ? 0U : 1U;
      range.largest = std::max(range.largest, std::abs(static_cast<double>(value)));
      sum += static_cast<double>(value);
    }
    const double mean = sum / static_cast<double>(delta.size());
    double squares = 0;  // about the mean: a large constant must not drown them
    for (const float value : delta) {
      const double apart = static_cast<double>(value) - mean;
      squares += apart * apart;
    }
    range.count += delta.size();
    range.least_spread = std::min(range.least_spread, std::sqrt(squares / static_cast<double>(delta.size())));
  }
  return range;
}

// The first picture with the opposite message, and its negative with the same message.
Picture with_other_message(Picture picture) {
  for (std::uint8_t& bit : picture.message) bit = bit == 0 ? 1 : 0;
  return picture;
}
Picture with_other_colours(Picture picture) {
  for (float& value : picture.planes.data) value = 1 - value;
  return picture;
}

void check_messages(const SavedTensors& saved, const checkpoint::NumpyArray& messages, std::int64_t count,
                    std::int64_t bits) {
  if (messages.shape != Shape{count, bits}) {
    fail(ErrorCode::kMismatch, "'{}': `messages` is {}, expected [{}, {}]", saved.path().string(),
         to_string(messages.shape), count, bits);
  }
  if (!std::ranges::all_of(messages.values, [](float bit) { return bit == 0 || bit == 1; }))
    fail(ErrorCode::kMismatch, "'{}': `messages` holds other values than 0 and 1", saved.path().string());
}

// Rows of CHW to HWC.
std::vector<float> to_hwc(std::span<const float> planes, std::size_t channels) {
  std::vector<float> moved(planes.size());
  const std::size_t pixels = planes.size() / channels;
  for (std::size_t i = 0; i < planes.size(); ++i) moved[i % pixels * channels + i / pixels] = planes[i];
  return moved;
}

class EmbedderKind : public ModelKind {
 public:
  const KindNames& names() const override { return names_; }

  OriginalNetwork network(const model::Card& card) const override {
    const std::shared_ptr<const model::EmbedderNetwork> network = model::make_embedder(card);
    return {network->parameters(),
            [network](const model::Weights& weights, const model::InterfaceOptions& options) {
              return model::build_embedder_graph(*network, weights, options);
            }};
  }

  std::unique_ptr<Runner> load(runtime::CompiledModel model, std::int64_t /*free_size*/) const override {
    return std::make_unique<EmbedderRunner>(std::move(model));
  }

  std::vector<float> values(const evaluate::Tensor& output) const override { return output.values; }

  void add_messages(std::span<Picture> pictures, std::int64_t bits) const override {
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      if (!pictures[i].message.empty()) continue;
      for (std::int64_t k = 0; k < bits; ++k) {
        const std::uint64_t number = (std::uint64_t{i} << 32U) + static_cast<std::uint64_t>(k);
        pictures[i].message.push_back(static_cast<std::uint8_t>(mix(number) >> 63U));
      }
    }
  }

  void read_saved(const SavedTensors& saved, std::span<Picture> pictures, std::int64_t bits) const override;
  void check_plausible(Examination& examination, Runner& runner) const override;
  bool check_purpose(Examination& examination, const std::vector<Expected>& expected,
                     const ComparedWith& original) const override {
    return check_marked_pictures(examination, expected, original);
  }

 private:
  KindNames names_{"embedder", "embed", {"image", "message"}, "delta", "Deltas"};
};

void EmbedderKind::read_saved(const SavedTensors& saved, std::span<Picture> pictures,
                              std::int64_t bits) const {
  const auto count = static_cast<std::int64_t>(pictures.size());
  const checkpoint::NumpyArray messages = saved.array({"messages"});
  check_messages(saved, messages, count, bits);
  const checkpoint::NumpyArray deltas = saved.array({"delta", "embedder_delta"});
  const pixels::Planes& planes = pictures[0].planes;
  const std::int64_t channels = deltas.shape.size() == 4 ? deltas.shape[1] : 0;
  if (deltas.shape != Shape{count, channels, planes.height, planes.width} ||
      (channels != 1 && channels != 3)) {
    fail(ErrorCode::kMismatch, "'{}': `delta` is {}, expected [{}, 1 or 3, {}, {}]", saved.path().string(),
         to_string(deltas.shape), count, planes.height, planes.width);
  }
  const auto message_size = static_cast<std::size_t>(bits);
  const std::size_t delta_size = deltas.values.size() / pictures.size();
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto message = std::span(messages.values).subspan(i * message_size, message_size);
    for (const float bit : message) pictures[i].message.push_back(bit == 0 ? 0 : 1);
    pictures[i].saved = to_hwc(std::span(deltas.values).subspan(i * delta_size, delta_size),
                               static_cast<std::size_t>(channels));
  }
}

void EmbedderKind::check_plausible(Examination& examination, Runner& runner) const {
  const DeltaRange range = measure_range(examination.outputs);
  const Picture& first = examination.pictures[0];
  const double by_message = relative_error(examination.outputs[0], runner.run(with_other_message(first)));
  const double by_picture = relative_error(examination.outputs[0], runner.run(with_other_colours(first)));
  // Nothing may come after a tanh that makes it larger.
  const bool bounded = examination.subject.info.operators.contains("TANH");
  std::string finding = fmt::format(
      "{} values of delta up to {:.3g}; the opposite message changes it by {:.2g} of its size, "
      "the negative of the picture by {:.2g}.",
      range.count, range.largest, by_message, by_picture);
  if (!(by_message >= kLeastEffect))
    finding = "Every message gets the same delta: the model does not look at its message.";
  else if (!(by_picture >= kLeastEffect))
    finding = "Every picture gets the same delta: the model does not look at its picture.";
  add_check(examination.report, checks::kPlausible, finding,
            {{"values that are no numbers", static_cast<double>(range.broken), "", 0, {}},
             {"largest value", range.largest, "", bounded ? std::optional(1.0) : std::nullopt, {}},
             {"least spread within a delta (standard deviation)", range.least_spread, "", {}, kLeastEffect},
             {"effect of the opposite message", by_message, "", {}, kLeastEffect},
             {"effect of the negative picture", by_picture, "", {}, kLeastEffect}});
}

}  // namespace

const ModelKind& embedder_kind() {
  static const EmbedderKind kKind;
  return kKind;
}

}  // namespace sealite::verify
