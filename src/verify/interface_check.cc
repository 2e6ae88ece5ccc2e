#include <fmt/ranges.h>

#include <algorithm>

#include "base/image_shape.h"
#include "verify/checkpoint_checks.h"

namespace sealite::verify {
namespace {

// Collects what is wrong.
class Complaints {
 public:
  void expect(bool condition, std::string complaint) {
    if (!condition) complaints_.push_back(std::move(complaint));
  }
  bool none() const { return complaints_.empty(); }
  std::string text() const { return fmt::format("{}.", fmt::join(complaints_, "; ")); }

 private:
  std::vector<std::string> complaints_;
};

std::string quoted(const std::vector<std::string_view>& names) {
  return fmt::format("'{}'", fmt::join(names, "' and '"));
}

void check_signature(const model_file::ModelSignature& signature, const KindNames& names,
                     Complaints& complaints) {
  std::vector<std::string_view> inputs;
  for (const model_file::ModelTensor& tensor : signature.inputs) inputs.emplace_back(tensor.name);
  std::ranges::sort(inputs);
  complaints.expect(
      inputs == names.inputs,  // those are sorted too
      fmt::format("the signature's inputs should be {}, they are {}", quoted(names.inputs), quoted(inputs)));
  complaints.expect(signature.outputs.size() == 1 && signature.outputs[0].name == names.output,
                    fmt::format("the signature should have one output, '{}'", names.output));
  for (const auto* tensors : {&signature.inputs, &signature.outputs}) {
    for (const model_file::ModelTensor& tensor : *tensors) {
      complaints.expect(tensor.type == DType::kFloat32,
                        fmt::format("'{}' is {}, not float32", tensor.name, dtype_name(tensor.type)));
    }
  }
}

void check_claims(const Examination& examination, const model_file::Metadata& claims,
                  Complaints& complaints) {
  const KindNames& names = examination.kind.names();
  complaints.expect(claims.part == names.part,
                    fmt::format("the metadata says that it is '{}', the signature is that of the {}",
                                claims.part, names.part));
  complaints.expect(
      claims.bits == examination.bits,
      fmt::format("the metadata says {} bits, the model has {}", claims.bits, examination.bits));
  complaints.expect(claims.image_size == examination.height || examination.height < 1,
                    fmt::format("the metadata says image size {}, the input is {}x{}", claims.image_size,
                                examination.height, examination.width));
  complaints.expect(claims.layout == layout_name(examination.layout),
                    fmt::format("the metadata says layout '{}', the input has the other", claims.layout));
  complaints.expect(claims.precision == examination.subject.precision,
                    fmt::format("the metadata says precision '{}', the weights are stored as {}",
                                claims.precision, examination.subject.precision));
  complaints.expect(claims_marking(claims) || examination.subject.part == Part::kDetector,
                    "the metadata does not say how the delta is added (attenuation, scaling_w, scaling_i), "
                    "so embed refuses it");
}

std::string words(const watermark::Marking& marking) {
  const std::string jnd =
      marking.jnd ? fmt::format("jnd_{}_{}", marking.jnd->inputs, marking.jnd->outputs) : "none";
  return fmt::format("attenuation {}, scaling_w {}, scaling_i {}", jnd, marking.scaling_w, marking.scaling_i);
}

// What the model says of its checkpoint, as the end of a sentence that is told if there are no complaints.
std::string check_origin(const Original& original, const std::optional<model_file::Metadata>& claims,
                         std::int64_t bits, Complaints& complaints) {
  complaints.expect(original.card().bits == bits,
                    fmt::format("the checkpoint has {} bits, the model {}", original.card().bits, bits));
  const auto claimed = claims ? claims_marking(*claims) : std::nullopt;
  if (claimed && original.card_is_named()) {
    const std::string wanted = words(original.marking());
    const std::string found = words(*claimed);
    complaints.expect(wanted == found, fmt::format("the metadata says {}, the card {}", found, wanted));
  }
  if (!claims) return "";
  if (claims->checkpoint_hash.empty()) return ", with no word on its checkpoint";
  if (!claims->checkpoint_hash.starts_with(model::kHashAlgorithm)) {
    return ", and a hash of its checkpoint in an older format, which cannot be compared: whether it is this "
           "checkpoint only the other checks tell";
  }
  const std::string hash = original.hash();
  complaints.expect(
      hash == claims->checkpoint_hash,
      fmt::format("the model was converted from another checkpoint: it names weights {}, these are {}",
                  claims->checkpoint_hash, hash));
  return ", and the checkpoint is the one that it names";
}

}  // namespace

void check_interface(Examination& examination, const Original* original) {
  const model_file::ModelSignature& signature = *examination.subject.signature();
  Complaints complaints;
  check_signature(signature, examination.kind.names(), complaints);
  const std::optional<model_file::Metadata>& claims = examination.subject.claims;
  if (claims) check_claims(examination, *claims, complaints);
  std::string origin;
  if (original != nullptr) origin = check_origin(*original, claims, examination.bits, complaints);
  const auto shapes = [](const std::vector<model_file::ModelTensor>& tensors) {
    std::vector<std::string> texts;
    for (const auto& tensor : tensors)
      texts.push_back(fmt::format("{} {}", tensor.name, to_string(tensor.shape)));
    return fmt::format("{}", fmt::join(texts, ", "));
  };
  std::string finding =
      fmt::format("{} -> {}, float32; ", shapes(signature.inputs), shapes(signature.outputs));
  finding += !claims ? "no sealite metadata in the file (another converter's?)"
                     : fmt::format("metadata: {} {}, {} bits, {}", claims->model, claims->part, claims->bits,
                                   claims->precision);
  finding += origin;
  Check& check = add_check(examination.report, checks::kInterface,
                           complaints.none() ? finding + "." : complaints.text());
  if (!complaints.none()) check.outcome = CheckOutcome::kFail;
  // It needed the outputs, but is read before them.
  std::vector<Check>& checks = examination.report.checks;
  std::rotate(checks.begin() + 1, checks.end() - 1, checks.end());
}

}  // namespace sealite::verify
