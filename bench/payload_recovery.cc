// How often payloads come back whole, and how often wrong ones come out: the tables of docs/payload.md.
//
//   payload_recovery recovery [PAYLOADS]       random payloads by length, kind and bit error rate
//   payload_recovery unmarked [TRIALS] [BITS]  payloads in logits that carry nothing
//   payload_recovery checksum [TRIALS]         why wrong payloads are rarer than trials can show
//
// A marked picture's logits are +-1 plus Gaussian noise of the deviation that gives the bit error rate;
// "hard" keeps their signs only. The same numbers whatever the number of threads; a new key for every 100
// payloads.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "base/parallel.h"
#include "watermark/payload.h"
#include "watermark/polar_list_decoder.h"
#include "watermark/soft_bits.h"

namespace {

using namespace sealite;
using namespace sealite::watermark;

using Random = std::mt19937_64;

constexpr std::size_t kBlock = 100;
constexpr std::size_t kLengths[] = {64, 96, 256, 1024};
constexpr double kErrorRates[] = {0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3};

// The deviation for which P(1 + deviation * N(0,1) < 0) is `error_rate`.
double deviation_of(double error_rate) {
  double low = 0;
  double high = 100;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(1 / (middle * std::sqrt(2.0))) < error_rate ? low : high) = middle;
  }
  return low;
}

std::vector<float> mark_logits(const Bits& message, double deviation, bool soft, Random& random) {
  std::normal_distribution<float> noise;
  std::vector<float> logits{0};
  for (const std::uint8_t bit : message) {
    const float logit = (bit != 0 ? 1.0F : -1.0F) + static_cast<float>(deviation) * noise(random);
    logits.push_back(soft ? logit : logit > 0 ? 1.0F : -1.0F);
  }
  return logits;
}

std::vector<float> noise_logits(std::size_t bits, Random& random) {
  std::normal_distribution<float> noise;
  std::vector<float> logits(bits + 1);
  for (float& logit : logits) logit = noise(random);
  return logits;
}

Payload random_payload(PayloadKind kind, std::size_t bits, Random& random) {
  const PayloadCapacity capacity = payload_capacity(bits);
  Payload payload;
  payload.kind = kind;
  if (kind == PayloadKind::kId) payload.id = random() >> (64 - capacity.id_bits);
  if (kind == PayloadKind::kText) {
    for (std::size_t i = 0; i < capacity.text_bytes; ++i)
      payload.text += static_cast<char>(std::uniform_int_distribution<int>(' ', '~')(random));
  }
  return payload;
}

// Calls body(random, key) for each block of kBlock trials.
template <typename Body>
void for_each_block(std::size_t trials, const Body& body) {
  parallel_for((trials + kBlock - 1) / kBlock, [&](std::size_t block) {
    Random random(block);
    body(random, fmt::format("key {}", random()));
  });
}

struct Counts {
  std::atomic<std::size_t> right = 0;
  std::atomic<std::size_t> wrong = 0;
};

void count_recovered(Counts& counts, std::size_t payloads, std::size_t bits, PayloadKind kind,
                     double error_rate, bool soft) {
  const double deviation = deviation_of(error_rate);
  for_each_block(payloads, [&](Random& random, const std::string& key) {
    const PayloadCodec codec(bits, key);
    for (std::size_t i = 0; i < kBlock; ++i) {
      const Payload sent = random_payload(kind, bits, random);
      const auto found = codec.decode(mark_logits(codec.encode(sent), deviation, soft, random));
      if (found) ++(found->payload == sent ? counts.right : counts.wrong);
    }
  });
}

void print_recovery(std::size_t payloads) {
  fmt::print("| bits | payload | decisions |");
  for (const double rate : kErrorRates) fmt::print(" {:g} % |", 100 * rate);
  fmt::print(" wrong |\n| --- | --- | --- |");
  for (std::size_t i = 0; i <= std::size(kErrorRates); ++i) fmt::print(" --- |");
  fmt::print("\n");
  for (const std::size_t bits : kLengths) {
    for (const PayloadKind kind : {PayloadKind::kId, PayloadKind::kText}) {
      for (const bool soft : {false, true}) {
        const PayloadCapacity capacity = payload_capacity(bits);
        fmt::print("| {} | {} | {} |", bits,
                   kind == PayloadKind::kId ? fmt::format("id, {} bits", capacity.id_bits)
                                            : fmt::format("text, {} bytes", capacity.text_bytes),
                   soft ? "soft" : "hard");
        std::size_t wrong = 0;
        for (const double rate : kErrorRates) {
          Counts counts;
          count_recovered(counts, payloads, bits, kind, rate, soft);
          wrong += counts.wrong;
          fmt::print(" {:.2f} |", 100.0 * static_cast<double>(counts.right) / static_cast<double>(payloads));
          std::fflush(stdout);
        }
        fmt::print(" {} |\n", wrong);
      }
    }
  }
}

// The mean of the Poisson distribution that gives `seen` or less with probability 5 %; for 0 the rule of
// three.
double upper_bound(std::size_t seen) {
  double mean = 0;
  double at_most = 1;
  while (at_most > 0.05) {
    mean += 1e-3;
    double term = std::exp(-mean);
    at_most = term;
    for (std::size_t k = 1; k <= seen; ++k) at_most += term *= mean / static_cast<double>(k);
  }
  return mean;
}

void print_unmarked(std::size_t trials, std::size_t only_bits) {
  fmt::print("| bits | pictures | payloads | 95 % upper bound |\n| --- | --- | --- | --- |\n");
  for (const std::size_t bits : kLengths) {
    if (only_bits != 0 && bits != only_bits) continue;
    // 1024 bits take ten times as long as 64.
    const std::size_t pictures = bits < 1024 ? trials : trials / 5;
    std::atomic<std::size_t> found = 0;
    for_each_block(pictures, [&](Random& random, const std::string& key) {
      const PayloadCodec codec(bits, key);
      for (std::size_t i = 0; i < kBlock; ++i) found += codec.decode(noise_logits(bits, random)) ? 1U : 0U;
    });
    fmt::print("| {} | {} | {} | {:.1e} |\n", bits, pictures, found.load(),
               upper_bound(found) / static_cast<double>(pictures));
    std::fflush(stdout);
  }
}

// A wrong payload comes out if a wrong path agrees well enough and its checksum is right. The first is
// counted; the second is too rare, so that it is counted for the first 13 of the 26 bits only.
struct WrongPaths {
  std::size_t all = 0;
  std::size_t half_right = 0;
  std::size_t agreeing = 0;
};

// The decoder's inside, for ids. `sent`: the id's bits, empty if nothing was sent.
class IdPaths {
 public:
  IdPaths(std::size_t bits, const std::string& key)
      : bytes_(payload_capacity(bits).id_bits / 8),
        keyed_(fmt::format("sealite-payload-1:id:{}", bits), key),
        whitening_(keyed_.whitening(bits)),
        code_(bits, 8 * bytes_ + 26),
        decoder_(code_, 32) {}

  void count(WrongPaths& counts, const std::vector<float>& logits, const Bits& sent) {
    std::vector<std::int16_t> weights = weigh_logits(logits);
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (whitening_[i] != 0) weights[i] = static_cast<std::int16_t>(-weights[i]);
    bool agreeing = true;  // until the first that does not: the paths come by rising penalty
    for (const PolarPath& path : decoder_.decode(weights)) {
      std::vector<std::uint8_t> id(bytes_, 0);
      for (std::size_t i = 0; i < 8 * bytes_; ++i)
        id[i / 8] = static_cast<std::uint8_t>(id[i / 8] * 2 + path.information[i]);
      if (bits_of(id) == sent) continue;
      ++counts.all;
      const Bits half = keyed_.checksum(id, 13);
      const auto own = path.information.begin() + static_cast<std::ptrdiff_t>(8 * bytes_);
      counts.half_right += std::equal(half.begin(), half.end(), own) ? 1U : 0U;
      const double log10_payloads = static_cast<double>(8 * bytes_ + 1) * std::log10(2.0);
      agreeing =
          agreeing && log10_penalty_tail(weights, path.penalty) + log10_payloads <= kLog10MostFalsePositives;
      counts.agreeing += agreeing ? 1U : 0U;
    }
  }

 private:
  std::size_t bytes_;
  KeyedBits keyed_;
  Bits whitening_;
  PolarCode code_;
  PolarListDecoder decoder_;
};

WrongPaths count_wrong_paths(std::size_t trials, std::size_t bits, double error_rate) {
  std::atomic<std::size_t> all = 0;
  std::atomic<std::size_t> half_right = 0;
  std::atomic<std::size_t> agreeing = 0;
  for_each_block(trials, [&](Random& random, const std::string& key) {
    const PayloadCodec codec(bits, key);
    IdPaths paths(bits, key);
    WrongPaths counts;
    for (std::size_t i = 0; i < kBlock; ++i) {
      if (error_rate == 0.5) {
        paths.count(counts, noise_logits(bits, random), {});
        continue;
      }
      const Payload sent = random_payload(PayloadKind::kId, bits, random);
      Bits id;
      for (std::size_t bit = payload_capacity(bits).id_bits; bit-- > 0;) id.push_back(sent.id >> bit & 1U);
      paths.count(counts, mark_logits(codec.encode(sent), deviation_of(error_rate), true, random), id);
    }
    all += counts.all;
    half_right += counts.half_right;
    agreeing += counts.agreeing;
  });
  return {all, half_right, agreeing};
}

void print_checksum(std::size_t trials) {
  fmt::print(
      "| bits | logits | wrong paths | half their checksum right | expected | agreeing | wrong ids a picture "
      "|\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n");
  for (const std::size_t bits : {std::size_t{64}, std::size_t{96}, std::size_t{256}}) {
    for (const double error_rate : {0.1, 0.15, 0.2, 0.3, 0.5}) {
      const WrongPaths paths = count_wrong_paths(trials, bits, error_rate);
      fmt::print("| {} | {} | {} | {} | {:.0f} | {} | {:.1e} |\n", bits,
                 error_rate < 0.5 ? fmt::format("{:g} % errors", 100 * error_rate) : "unmarked", paths.all,
                 paths.half_right, static_cast<double>(paths.all) / 0x1p13, paths.agreeing,
                 static_cast<double>(paths.agreeing) / static_cast<double>(trials) / 0x1p26);
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  const auto count = [&](std::size_t usual, int at = 2) {
    return argc > at ? static_cast<std::size_t>(std::strtoull(argv[at], nullptr, 10)) : usual;
  };
  if (mode == "recovery") {
    print_recovery(count(10'000));
  } else if (mode == "unmarked") {
    print_unmarked(count(1'000'000), count(0, 3));
  } else if (mode == "checksum") {
    print_checksum(count(50'000));
  } else {
    fmt::print(stderr, "usage: payload_recovery recovery|unmarked|checksum [COUNT] [BITS]\n");
    return 64;
  }
  return 0;
}
