#include "watermark/candidates.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/read_pipe.h"

namespace sealite::watermark {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 31;
// Without labels: 34 million messages of 64 bits, or 4 million of 1024.
constexpr std::size_t kMostMemory = 544'000'000;
constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kBlock = std::size_t{1} << 16;
constexpr std::uint32_t kInterruptEvery = 4096;

constexpr std::string_view kSpace = " \t";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

struct Entry {
  std::string message;
  std::string_view label;
};

// text:"SOME WORDS" is the only message with white space in it.
Entry split_entry(std::string_view text) {
  constexpr std::string_view kQuoted = "text:\"";
  if (!text.starts_with(kQuoted)) {
    const std::size_t end = std::min(text.find_first_of(kSpace), text.size());
    return {std::string(text.substr(0, end)), trim(text.substr(end))};
  }
  const std::size_t close = text.find('"', kQuoted.size());
  if (close == std::string_view::npos) fail(ErrorCode::kUsage, "the text's closing '\"' is missing");
  const std::string_view words = text.substr(kQuoted.size(), close - kQuoted.size());
  const std::string_view rest = text.substr(close + 1);
  if (!rest.empty() && kSpace.find(rest.front()) == std::string_view::npos)
    fail(ErrorCode::kUsage, "white space has to follow the text's closing '\"'");
  return {fmt::format("text:{}", words), trim(rest)};
}

void pack(const Bits& bits, std::uint64_t* words) {
  for (std::size_t i = 0; i < bits.size(); ++i) words[i / 64] |= std::uint64_t{bits[i]} << (i % 64);
}

// O_NONBLOCK: a pipe that nobody writes to, or goes on writing to, must not keep a signal waiting. Files
// ignore it.
FileDescriptor open(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0) {
    const int error = errno;
    fail(error == EACCES || error == EPERM ? ErrorCode::kIo : ErrorCode::kNotFound,
         "'{}': cannot open the list of candidates: {}", path.string(),
         std::generic_category().message(error));
  }
  if (S_ISDIR(info.st_mode)) {
    fail(ErrorCode::kNotFound, "'{}' is a folder, expected a list of candidates", path.string());
  }
  return file;
}

// Reads lines without ever holding more than one: std::getline would swallow a gigabyte without a newline.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& file) : path_(file), file_(open(file)), block_(kBlock, '\0') {}

  /// The number of the line that `next` gave last.
  std::uint32_t number() const { return number_; }

  std::optional<std::string_view> next() {
    line_.clear();
    bool any = false;
    ++number_;
    while (used_ < filled_ || fill()) {
      any = true;
      const std::string_view rest = std::string_view(block_).substr(used_, filled_ - used_);
      const std::size_t newline = rest.find('\n');
      line_ += rest.substr(0, newline);
      used_ += newline == std::string_view::npos ? rest.size() : newline + 1;
      // Checked last, so that a line has at most a block more than it may.
      if (line_.size() > kLongestLine) {
        fail(ErrorCode::kMalformed, "'{}', line {}: longer than {} bytes: not a list of candidates?",
             path_.string(), number_, kLongestLine);
      }
      if (newline != std::string_view::npos) break;
    }
    if (!any) return std::nullopt;
    std::string_view line = line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // byte order mark
    return line;
  }

 private:
  bool fill() {
    filled_ = read_some(file_.get(), std::as_writable_bytes(std::span(block_)),
                        fmt::format("'{}'", path_.string()));
    used_ = 0;
    total_ += filled_;
    if (total_ > kMostBytes) {
      fail(ErrorCode::kMalformed, "'{}': over {} bytes; split the list of candidates", path_.string(),
           kMostBytes);
    }
    return filled_ != 0;
  }

  std::filesystem::path path_;
  FileDescriptor file_;
  std::string block_;
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t total_ = 0;
  std::string line_;
  std::uint32_t number_ = 0;
};

}  // namespace

CandidateList::CandidateList(const std::filesystem::path& file, const PayloadCodec& codec)
    : bits_(codec.bits()), words_((codec.bits() + 63) / 64) {
  Lines lines(file);
  while (const auto text = lines.next()) {
    if (lines.number() % kInterruptEvery == 0) check_cancelled();
    try {
      add_line(trim(*text), lines.number(), codec);
    } catch (const Error& error) {
      // What is wrong usage on the command line is a broken file here.
      throw Error(ErrorCode::kMalformed,
                  fmt::format("'{}', line {}: {}", file.string(), lines.number(), error.what()));
    }
  }
  if (lines_.empty()) fail(ErrorCode::kMalformed, "'{}': no candidates in it", file.string());
  find_repeats();
}

void CandidateList::find_repeats() {
  std::vector<std::uint32_t> order(lines_.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto message = [&](std::uint32_t index) {
    return std::span(packed_).subspan(index * words_, words_);
  };
  // Equal ones in the file's order.
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    const auto [x, y] = std::ranges::mismatch(message(a), message(b));
    return x == message(a).end() ? a < b : *x < *y;
  });
  std::size_t first = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (std::ranges::equal(message(order[first]), message(order[i]))) {
      repeats_.emplace_back(order[i], order[first]);
    } else {
      first = i;
    }
  }
  std::ranges::sort(repeats_);
}

CandidateLine CandidateList::line_of(std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : label_ends_[index - 1];
  return {lines_[index], labels_.substr(begin, label_ends_[index] - begin)};
}

std::vector<RepeatedCandidate> CandidateList::repeats() const {
  std::vector<RepeatedCandidate> list;
  for (const auto& [again, first] : repeats_) list.push_back({line_of(first), line_of(again)});
  return list;
}

void CandidateList::add_line(std::string_view text, std::uint32_t line, const PayloadCodec& codec) {
  if (text.empty() || text.starts_with('#')) return;
  constexpr std::size_t kPlaces = sizeof(lines_[0]) + sizeof(label_ends_[0]);
  const std::size_t most = kMostMemory / (words_ * sizeof(packed_[0]) + kPlaces);
  if (lines_.size() == most)
    fail(ErrorCode::kMalformed, "more than {} candidates of {} bits; split the list", most, bits_);
  const Entry entry = split_entry(text);
  const Bits message = parse_message(entry.message, codec);
  packed_.resize(packed_.size() + words_, 0);
  pack(message, &packed_[packed_.size() - words_]);
  lines_.push_back(line);
  if (!entry.label.starts_with('#')) labels_ += entry.label;
  // kMostBytes keeps this below 2^32.
  label_ends_.push_back(static_cast<std::uint32_t>(labels_.size()));
}

CandidateMatch CandidateList::best(const Bits& read) const {
  if (read.size() != bits_) {
    fail(ErrorCode::kInternal, "compared {} bits with candidates of {}", read.size(), bits_);
  }
  std::vector<std::uint64_t> packed(words_, 0);
  pack(read, packed.data());
  std::size_t fewest = bits_ + 1;
  std::size_t best = 0;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    std::size_t wrong = 0;
    for (std::size_t w = 0; w < words_; ++w)
      wrong += static_cast<std::size_t>(std::popcount(packed[w] ^ packed_[i * words_ + w]));
    if (wrong < fewest) {
      fewest = wrong;
      best = i;
    }
  }
  CandidateMatch match;
  Bits message;
  for (std::size_t bit = 0; bit < bits_; ++bit)
    message.push_back(packed_[best * words_ + bit / 64] >> (bit % 64) & 1U);
  match.message = to_hex(message);
  match.match = compare(read, message);
  CandidateLine place = line_of(best);
  match.line = place.line;
  match.label = std::move(place.label);
  for (const auto& [again, first] : repeats_) {
    if (first == best) match.also.push_back(line_of(again));
  }
  match.candidates = size();
  match.log10_p_value = std::min(0.0, match.match.log10_p_value + std::log10(static_cast<double>(size())));
  match.p_value = std::pow(10.0, match.log10_p_value);
  return match;
}

}  // namespace sealite::watermark

namespace sealite {

struct Candidates::Impl {
  watermark::CandidateList list;
};

Candidates::Candidates(const std::filesystem::path& file, std::size_t bits, const std::string& key,
                       const Context& context) {
  const InContext scope(context);
  impl_ = std::make_unique<Impl>(Impl{watermark::CandidateList(file, watermark::PayloadCodec(bits, key))});
}

Candidates::~Candidates() = default;
Candidates::Candidates(Candidates&&) noexcept = default;
Candidates& Candidates::operator=(Candidates&&) noexcept = default;

std::size_t Candidates::size() const {
  return impl_->list.size();
}

std::vector<RepeatedCandidate> Candidates::repeats() const {
  return impl_->list.repeats();
}

CandidateMatch Candidates::best(const Detection& detection) const {
  return impl_->list.best(watermark::bits_from_logits(detection.logits));
}

}  // namespace sealite
