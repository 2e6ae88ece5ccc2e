#include "verify/stored_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/parallel.h"
#include "base/progress.h"

namespace sealite::verify {
namespace {

using graph::Graph;
using graph::Rows;
using graph::Value;

constexpr double kNoMatch = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kBlockElements = std::uint64_t{1} << 19U;

using Constants = std::map<std::string, const Value*>;

// The constants that nodes read, by name; a name that stands for several is left out.
Constants constants_of(const Graph& graph) {
  Constants constants;
  for (const graph::Node& node : graph.nodes) {
    for (const graph::ValueId id : node.inputs) {
      const Value& value = graph.value(id);
      if (!value.source) continue;
      const auto [entry, is_new] = constants.emplace(value.name, &value);
      if (!is_new && entry->second != &value) entry->second = nullptr;
    }
  }
  std::erase_if(constants, [](const auto& entry) { return entry.second == nullptr; });
  return constants;
}

class Comparer {
 public:
  Comparer(const Value& expected, const Value& stored) : expected_(expected), stored_(stored) {}

  std::int64_t rows() const { return expected_.source->row_count(); }
  std::int64_t rows_per_block() const {
    const std::uint64_t elements = std::max<std::uint64_t>(1, expected_.source->elements_per_row());
    return static_cast<std::int64_t>(std::max<std::uint64_t>(1, kBlockElements / elements));
  }

  // The worst of some rows.
  WeightDifference compare(Rows rows) const {
    const std::vector<float> wanted = read_floats(*expected_.source, rows);
    const std::vector<float> found = read_reals(stored_, rows);
    expected_.source->release(rows);
    stored_.source->release(rows);
    const auto width = static_cast<std::size_t>(expected_.source->elements_per_row());
    WeightDifference worst{stored_.name, std::string(dtype_name(stored_.type)), rows.begin, -1, -1};
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const std::size_t start = static_cast<std::size_t>(row - rows.begin) * width;
      const WeightDifference here =
          compare_row(std::span(wanted).subspan(start, width), std::span(found).subspan(start, width));
      if (here.error <= worst.error && here.in_steps <= worst.in_steps) continue;
      if (worse(here, worst)) {
        worst.row = row;
        worst.error = here.error;
        worst.in_steps = here.in_steps;
      }
    }
    return worst;
  }

  static bool worse(const WeightDifference& a, const WeightDifference& b) {
    return a.in_steps != b.in_steps ? a.in_steps > b.in_steps : a.error > b.error;
  }

 private:
  // The rounding step is that of the widest honest scale: largest weight / largest integer.
  WeightDifference compare_row(std::span<const float> wanted, std::span<const float> found) const {
    double difference = 0;
    double norm = 0;
    double peak = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto w = static_cast<double>(wanted[i]);
      const double delta = static_cast<double>(found[i]) - w;
      difference += delta * delta;
      norm += w * w;
      peak = std::max(peak, std::abs(w));
    }
    WeightDifference row;
    if (difference == 0) return row;
    row.error = norm == 0 || std::isnan(difference) ? kNoMatch : std::sqrt(difference / norm);
    const double integers = stored_.type == DType::kInt8 ? 127 : stored_.type == DType::kInt4 ? 7 : 0;
    if (integers > 0) {
      const double rms = std::sqrt(difference / static_cast<double>(wanted.size()));
      row.in_steps = peak == 0 || std::isnan(rms) ? kNoMatch : rms * integers / peak;
    }
    return row;
  }

  const Value& expected_;
  const Value& stored_;
};

bool leaves(const WeightDifference& difference, const Limits& limits) {
  if (difference.type == "int8" || difference.type == "int4") return difference.in_steps > limits.row_steps;
  // A float constant is what the checkpoint says, or that in half precision.
  const char* const as = difference.type == "float16" ? "fp16" : "float32";
  return difference.error > limits_for(Part::kDetector, as).row_error;  // the same for both parts
}

struct Block {
  std::size_t pair;
  Rows rows;
};

}  // namespace

WeightComparison compare_weights(const Graph& expected, const Graph& stored, const Limits& limits) {
  const Constants wanted = constants_of(expected);
  const Constants found = constants_of(stored);
  const bool exact = limits.precision == "float32";
  WeightComparison result;
  std::vector<Comparer> pairs;
  std::vector<Block> blocks;
  for (const auto& [name, value] : wanted) {
    if (!exact && value->shape.size() < 2) continue;
    const auto other = found.find(name);
    if (other == found.end() || other->second->shape != value->shape) {
      ++result.absent;
      continue;
    }
    const Comparer& pair = pairs.emplace_back(*value, *other->second);
    result.rows += static_cast<std::uint64_t>(pair.rows());
    for (std::int64_t row = 0; row < pair.rows(); row += pair.rows_per_block())
      blocks.push_back({pairs.size() - 1, {row, std::min(row + pair.rows_per_block(), pair.rows())}});
  }
  result.constants = pairs.size();
  std::vector<WeightDifference> found_in(blocks.size());
  Progress progress("comparing weights", blocks.size());
  parallel_for(blocks.size(), [&](std::size_t i) {
    found_in[i] = pairs[blocks[i].pair].compare(blocks[i].rows);
    progress.advance(1);
  });
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const bool first = i == 0 || blocks[i].pair != blocks[i - 1].pair;
    if (first) {
      result.worst.push_back(found_in[i]);
    } else if (Comparer::worse(found_in[i], result.worst.back())) {
      result.worst.back() = found_in[i];
    }
  }
  std::ranges::stable_sort(result.worst, Comparer::worse);
  std::ranges::copy_if(result.worst, std::back_inserter(result.beyond),
                       [&](const WeightDifference& difference) { return leaves(difference, limits); });
  return result;
}

}  // namespace sealite::verify
