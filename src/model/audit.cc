#include "model/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "base/mapped_file.h"
#include "base/parallel.h"

namespace sealite::model {
namespace {

using checkpoint::TensorView;

std::uint64_t stored_bytes(const TensorView& tensor) {
  return dtype_bytes(tensor.type, element_count(tensor.shape).value_or(0));
}

// Values whose exponent bits are all ones.
template <typename Word>
std::uint64_t count_exponent(ByteView bytes, Word mask) {
  std::uint64_t total = 0;
  // A count as wide as the values vectorises; in a run of this length it cannot overflow.
  constexpr std::size_t kRun = std::size_t{1} << 14U;
  const auto* words = reinterpret_cast<const Word*>(bytes.data());
  const std::size_t size = bytes.size() / sizeof(Word);
  for (std::size_t start = 0; start < size; start += kRun) {
    Word count = 0;
    for (std::size_t i = start; i < std::min(start + kRun, size); ++i)
      count = static_cast<Word>(count + ((words[i] & mask) == mask ? 1U : 0U));
    total += count;
  }
  return total;
}

// Also what is finite, but no longer once it is float32, as which weights are read.
std::uint64_t count_beyond_float(ByteView bytes) {
  std::uint64_t total = 0;
  for (std::size_t at = 0; at + sizeof(double) <= bytes.size(); at += sizeof(double)) {
    if (!std::isfinite(static_cast<float>(load<double>(bytes, at)))) ++total;
  }
  return total;
}

std::uint64_t count_non_finite(DType type, ByteView bytes) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(std::uint32_t) != 0) {
    const std::vector<std::byte> aligned(bytes.begin(), bytes.end());
    return count_non_finite(type, aligned);
  }
  switch (type) {
    case DType::kFloat32:
      return count_exponent<std::uint32_t>(bytes, 0x7F800000U);
    case DType::kFloat16:
      return count_exponent<std::uint16_t>(bytes, 0x7C00U);
    case DType::kBFloat16:
      return count_exponent<std::uint16_t>(bytes, 0x7F80U);
    case DType::kFloat64:
      return count_beyond_float(bytes);
    default:
      return 0;
  }
}

}  // namespace

WeightAuditor::Record::Record(const TensorView& view)
    : tensor(view), digest(stored_bytes(view)), taken(digest.pieces()) {}

WeightAuditor::WeightAuditor(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                             const std::vector<Parameter>& parameters)
    : checkpoint_(std::move(checkpoint)) {
  for (const Parameter& parameter : parameters) {
    const TensorView* tensor = checkpoint_->find(parameter.name);
    auto& record = records_[parameter.name];
    record = std::make_unique<Record>(*tensor);
    by_tensor_[tensor] = record.get();
  }
}

void WeightAuditor::take(Record& record, std::size_t piece, ByteView bytes) {
  // First what goes through the bytes in order: it brings them into the cache.
  record.non_finite += count_non_finite(record.tensor.type, bytes);
  record.digest.take(piece, bytes);
}

void WeightAuditor::see(const TensorView& tensor, ByteView bytes) {
  const auto found = by_tensor_.find(&tensor);
  if (found == by_tensor_.end() || bytes.empty()) return;
  Record& record = *found->second;
  const auto begin = static_cast<std::size_t>(bytes.data() - tensor.bytes.data());
  for (std::size_t piece = begin / PieceDigest::kPieceBytes;
       piece < record.digest.pieces() && record.digest.offset(piece) < begin + bytes.size(); ++piece) {
    if (record.taken[piece].exchange(true)) continue;
    take(record, piece, tensor.bytes.subspan(record.digest.offset(piece), record.digest.length(piece)));
  }
}

void WeightAuditor::take_unseen(Record& record, std::size_t piece) {
  const TensorView& tensor = record.tensor;
  const std::size_t length = record.digest.length(piece);
  if (!tensor.contiguous()) {
    std::vector<std::byte> ordered(length);
    read_elements(tensor, record.digest.offset(piece) / dtype_bytes(tensor.type, 1), ordered);
    return take(record, piece, ordered);
  }
  const ByteView bytes = tensor.bytes.subspan(record.digest.offset(piece), length);
  prefetch_pages(bytes);
  take(record, piece, bytes);
  release_pages(bytes);
}

WeightAudit WeightAuditor::finish() {
  std::vector<std::pair<Record*, std::size_t>> unseen;
  for (const auto& [name, record] : records_) {
    for (std::size_t piece = 0; piece < record->taken.size(); ++piece) {
      if (!record->taken[piece].exchange(true)) unseen.emplace_back(record.get(), piece);
    }
  }
  parallel_for(unseen.size(), [&](std::size_t i) { take_unseen(*unseen[i].first, unseen[i].second); });
  WeightAudit result;
  std::string lines;
  for (const auto& [name, record] : records_) {
    const TensorView& tensor = record->tensor;
    lines += fmt::format("{} {} {} {}\n", to_hex(record->digest.digest()), dtype_name(tensor.type),
                         to_string(tensor.shape), name);
    if (record->non_finite > 0) result.non_finite.emplace_back(name, record->non_finite);
  }
  result.hash = std::string(kHashAlgorithm) + to_hex(digest_of(as_bytes(lines)));
  return result;
}

WeightAudit audit(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                  const std::vector<Parameter>& parameters) {
  return WeightAuditor(std::move(checkpoint), parameters).finish();
}

}  // namespace sealite::model
