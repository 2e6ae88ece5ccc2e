#include <fmt/ranges.h>

#include <algorithm>

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

void check_signature(const tflite::ModelSignature& signature, Complaints& complaints) {
  complaints.expect(signature.inputs.size() == 1 && signature.inputs[0].name == "image",
                    "the signature should have one input, 'image'");
  complaints.expect(signature.outputs.size() == 1 && signature.outputs[0].name == "logits",
                    "the signature should have one output, 'logits'");
  for (const auto* tensors : {&signature.inputs, &signature.outputs}) {
    for (const tflite::ModelTensor& tensor : *tensors) {
      complaints.expect(tensor.type == DType::kFloat32,
                        fmt::format("'{}' is {}, not float32", tensor.name, dtype_name(tensor.type)));
    }
  }
}

void check_claims(const Examination& examination, const Claims& claims, std::int64_t bits,
                  Complaints& complaints) {
  complaints.expect(claims.bits == bits,
                    fmt::format("the metadata says {} bits, the logits have {}", claims.bits, bits));
  complaints.expect(claims.image_size == examination.height || examination.height < 1,
                    fmt::format("the metadata says image size {}, the input is {}x{}", claims.image_size,
                                examination.height, examination.width));
  complaints.expect(claims.layout == (examination.nchw ? "nchw" : "nhwc"),
                    fmt::format("the metadata says layout '{}', the input has the other", claims.layout));
}

void check_origin(const Original& original, const std::optional<Claims>& claims, std::int64_t bits,
                  Complaints& complaints) {
  complaints.expect(original.card().bits == bits,
                    fmt::format("the checkpoint has {} bits, the model {}", original.card().bits, bits));
  if (!claims || claims->checkpoint_hash.empty()) return;
  const std::string hash = original.hash();
  complaints.expect(
      hash == claims->checkpoint_hash,
      fmt::format("the model was converted from another checkpoint: it names weights {}, these are {}",
                  claims->checkpoint_hash, hash));
}

}  // namespace

void check_interface(Examination& examination, const Original* original) {
  const tflite::ModelSignature& signature = *examination.subject.signature();
  Complaints complaints;
  check_signature(signature, complaints);
  const std::int64_t bits = static_cast<std::int64_t>(examination.outputs.at(0).size()) - 1;
  const std::optional<Claims>& claims = examination.subject.claims;
  if (claims) check_claims(examination, *claims, bits, complaints);
  if (original != nullptr) check_origin(*original, claims, bits, complaints);
  std::string finding =
      fmt::format("image {} -> logits {}, float32; ", to_string(signature.inputs.at(0).shape),
                  to_string(signature.outputs.at(0).shape));
  finding += !claims ? "no sealite metadata in the file (another converter's?)"
                     : fmt::format("metadata: {} {}, {} bits, {}", claims->card, claims->part, claims->bits,
                                   claims->precision);
  if (original != nullptr && claims) finding += ", and the checkpoint is the one that it names";
  Check& check = add_check(examination.report, "interface", "Shapes, types, signature and metadata",
                           complaints.none() ? finding + "." : complaints.text());
  if (!complaints.none()) check.outcome = CheckOutcome::kFail;
  // It needed the outputs, but is read before them.
  std::vector<Check>& checks = examination.report.checks;
  std::rotate(checks.begin() + 1, checks.end() - 1, checks.end());
}

}  // namespace sealite::verify
