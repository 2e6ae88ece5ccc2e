#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/evaluate.h"
#include "model/detector_graph.h"
#include "runtime/compiled_model.h"
#include "sealite/convert.h"

namespace sealite::verify {

struct ComparedWith;
struct Examination;
struct Expected;
struct Picture;
class SavedTensors;

/// A loaded model: a picture (and its message) in, one output out.
class Runner {
 public:
  virtual ~Runner() = default;
  /// Logits [1 + bits] or delta [H, W, C], whatever numbers they are.
  virtual std::vector<float> run(const Picture& picture) = 0;
  virtual std::int64_t height() const = 0;
  virtual std::int64_t width() const = 0;
  virtual std::int64_t bits() const = 0;
  virtual bool fully_delegated() const = 0;
};

/// A kind's names, as files and sentences have them.
struct KindNames {
  std::string_view part;                 ///< "detector"
  std::string_view signature;            ///< "detect"
  std::vector<std::string_view> inputs;  ///< "image"
  std::string_view output;               ///< "logits"
  std::string_view outputs;              ///< "Logits", of several pictures, to begin a sentence
};

/// A network of that kind: what it reads from a checkpoint, and how its graph is built.
struct OriginalNetwork {
  std::vector<model::Parameter> parameters;
  std::function<graph::Graph(const model::Weights&, const model::InterfaceOptions&)> build;
};

/// All that is different between verifying a detector and verifying an embedder.
class ModelKind {
 public:
  virtual ~ModelKind() = default;
  virtual const KindNames& names() const = 0;
  /// Throws what making the network throws, kMismatch if the card has none of this kind.
  virtual OriginalNetwork network(const model::Card& card) const = 0;
  /// `free_size`: height and width where the model leaves them free. Throws kMismatch if it is not of this
  /// kind.
  virtual std::unique_ptr<Runner> load(runtime::CompiledModel model, std::int64_t free_size) const = 0;
  /// What `Runner::run` gives, from the output of an evaluated graph (NHWC).
  virtual std::vector<float> values(const evaluate::Tensor& output) const = 0;
  /// Gives pictures that have none the messages that this kind reads.
  virtual void add_messages(std::span<Picture> pictures, std::int64_t bits) const = 0;
  /// Gives `pictures`, those of the saved `images`, what else was saved: messages and outputs. Throws kUsage
  /// if an array is absent, kMismatch if it does not fit.
  virtual void read_saved(const SavedTensors& saved, std::span<Picture> pictures,
                          std::int64_t bits) const = 0;
  /// Check `kPlausible`: whether the outputs look like those of such a model.
  virtual void check_plausible(Examination& examination, Runner& runner) const = 0;
  /// Check `original.bits` or `original.pictures`: what the numbers are for. True if it passes.
  virtual bool check_purpose(Examination& examination, const std::vector<Expected>& expected,
                             const ComparedWith& original) const = 0;
};

/// Of kDetector or kEmbedder.
const ModelKind& kind_of(Part part);
const ModelKind& detector_kind();
const ModelKind& embedder_kind();

}  // namespace sealite::verify
