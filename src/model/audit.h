#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "checkpoint/checkpoint.h"
#include "model/parameter.h"

namespace sealite::model {

/// What a read over all of a network's tensors finds.
struct WeightAudit {
  /// "blake3:" and 64 hexadecimal digits, over names, types, shapes and values (docs/file-format.md): the
  /// same for whatever order tensors have in the file and values in memory, and whatever else the file holds.
  std::string hash;
  std::vector<std::pair<std::string, std::uint64_t>>
      non_finite;  // tensors with NaN or infinite values, and how many
};

/// How every `WeightAudit::hash` begins: of other algorithms' nothing can be said.
inline constexpr std::string_view kHashAlgorithm = "blake3:";

/// Audits a network's tensors while they are read for something else, so that a conversion gets 3 GB into a
/// processor's cache once and not twice.
class WeightAuditor {
 public:
  /// Every parameter is in the checkpoint and has its shape (`check_parameters`).
  WeightAuditor(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                const std::vector<Parameter>& parameters);

  /// These bytes of a row-major tensor are about to be read: audits them and the rest of the pieces that they
  /// lie in, once. From several threads.
  void see(const checkpoint::TensorView& tensor, ByteView bytes);

  /// Audits what nobody has seen, in parallel. Throws kInterrupted.
  WeightAudit finish();

 private:
  struct Record {
    explicit Record(const checkpoint::TensorView& view);
    const checkpoint::TensorView& tensor;
    PieceDigest digest;
    std::vector<std::atomic<bool>> taken;  // by piece
    std::atomic<std::uint64_t> non_finite{0};
  };
  static void take(Record& record, std::size_t piece, ByteView bytes);
  static void take_unseen(Record& record, std::size_t piece);

  std::shared_ptr<const checkpoint::Checkpoint> checkpoint_;
  std::map<std::string, std::unique_ptr<Record>> records_;  // in the order of names
  std::map<const checkpoint::TensorView*, Record*> by_tensor_;
};

/// Audits all of it now.
WeightAudit audit(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                  const std::vector<Parameter>& parameters);

}  // namespace sealite::model
