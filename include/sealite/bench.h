#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sealite/context.h"
#include "sealite/error.h"

namespace sealite {

struct BenchOptions {
  int threads = 1;
  int runs = 0;                  ///< Timed runs; 0: 50, or fewer where they take over 30 s (at least 5).
  std::string signature;         ///< Empty: the file's first.
  std::filesystem::path versus;  ///< A second model, run alternately with the first; empty: none.
  bool profile = false;          ///< Also time every operator, in further runs.
  bool peak = true;              ///< Also measure this machine's matrix products (about 2 s).
  Context context = {};
};

/// Two values that enclose a median: order statistics, so nothing is assumed of the distribution.
struct MedianInterval {
  double low = 0;
  double high = 0;
  double coverage = 0;  ///< Probability of enclosing it, at least 0.95 from 6 values on.
};

/// Seconds of one run, over `runs` runs.
struct RunTimes {
  std::size_t runs = 0;
  double minimum = 0;
  double median = 0;
  double maximum = 0;
  double mean = 0;
  double deviation = 0;  ///< Standard deviation (of a sample); 0 for one run.
  MedianInterval median_interval;
};

/// Bytes of this process's memory around loading a model and running it once. 0: the kernel does not tell.
struct BenchMemory {
  std::uint64_t resident_before = 0;
  std::uint64_t resident_loaded = 0;
  std::uint64_t resident_run = 0;  ///< After the first run.
  std::uint64_t private_before = 0;
  std::uint64_t private_loaded = 0;
  std::uint64_t private_run = 0;
  std::uint64_t peak = 0;  ///< Largest resident memory until then.
};

/// MACs (multiply-accumulates) of one run: convolutions and matrix products, by how their filters are stored.
struct BenchWork {
  std::uint64_t float_products = 0;
  std::uint64_t integer_products = 0;  ///< int8 or int4 filters.
  std::vector<std::string> uncounted;  ///< Operators that multiply, and how much is not known.
};

/// The operators of the runtime (XNNPACK) with one name.
struct ProfiledKind {
  std::string name;       ///< "Fully Connected (NC, QDU8, F32, QC8W) GEMM"
  std::size_t count = 0;  ///< In one run.
  double seconds = 0;     ///< Of one run, all of them.
};

/// A convolution or matrix product of the file.
struct ProfiledLayer {
  std::string name;      ///< The file's.
  std::string kind;      ///< "FULLY_CONNECTED"
  bool integer = false;  ///< Its filter is stored as int8 or int4.
  std::uint64_t multiply_accumulates = 0;
  double seconds = 0;
};

/// Where a run's time goes, by LiteRT's own profiler. The medians of several runs.
struct BenchProfile {
  std::size_t runs = 0;
  double run_seconds = 0;           ///< A whole run while profiling.
  double operator_seconds = 0;      ///< The sum over its operators.
  std::vector<ProfiledKind> kinds;  ///< The slowest first.
  /// The slowest first; empty where the runtime's operators cannot be told apart: their number is not the
  /// file's.
  std::vector<ProfiledLayer> layers;
};

struct BenchedModel {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::string signature;
  std::size_t operators = 0;
  bool fully_delegated = false;  ///< XNNPACK took every operator.
  double load_seconds = 0;       ///< Loading, compiling, allocating, writing the inputs.
  double first_seconds = 0;      ///< The first run.
  RunTimes warm_up;              ///< Until half a second is over (at most 1000 runs); not in `steady`.
  RunTimes steady;
  BenchMemory memory;
  BenchWork work;
  std::optional<BenchProfile> profile;
};

/// The fastest matrix product that LiteRT gave on this machine with as many threads: [512, 2048] ·
/// [2048, 2048], multiply-accumulates a second.
struct MatrixPeak {
  double float32 = 0;
  double int8 = 0;  ///< int8 filter, float32 activations, as Sealite's int8 models.
};

/// The second model's time / the first's, over pairs of runs that followed each other.
struct PairedRatio {
  std::size_t pairs = 0;
  double of_medians = 0;
  double median = 0;  ///< Of the pairs' ratios, as what follows.
  double lower_quartile = 0;
  double upper_quartile = 0;
  MedianInterval median_interval;
};

struct BenchReport {
  int threads = 1;
  std::filesystem::path runtime;  ///< The LiteRT library.
  std::string processor;          ///< As the kernel names it; may be empty.
  BenchedModel model;
  std::optional<BenchedModel> versus;
  std::optional<PairedRatio> ratio;
  std::optional<MatrixPeak> peak;
};

/// The part of a run's time that its MACs would take at `peak`: float ones at the float32 peak, those
/// with integer filters at the int8 one.
double share_of_peak(const BenchedModel& model, const MatrixPeak& peak);

/// Measures any .tflite file with float32 inputs in LiteRT on the CPU (docs/performance.md says how).
/// `image` gets a synthetic picture, `message` zeros and ones, other inputs numbers in [0, 1). Throws
/// kNotFound, kMalformed, kUnsupported (other input types, no LiteRT), kUsage, kInterrupted.
BenchReport bench_model(const std::filesystem::path& model, const BenchOptions& options = {});

}  // namespace sealite
