#include "model/card_section.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace sealite::model {
namespace {

constexpr std::size_t kMaxListLength = 64;

}  // namespace

CardSection::CardSection(const YAML::Node& node, std::string path) : node_(node), path_(std::move(path)) {
  if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap())
    fail(ErrorCode::kMalformed, "{} is not a mapping", path_.empty() ? "the text" : "'" + path_ + "'");
}

CardSection CardSection::child(const std::string& key) const {
  return {lookup(key), path_.empty() ? key : path_ + "." + key};
}

std::int64_t CardSection::dimension(const std::string& key, std::int64_t fallback) const {
  return check(key, get<std::int64_t>(key, fallback));
}

std::vector<std::int64_t> CardSection::dimensions(const std::string& key,
                                                  std::vector<std::int64_t> fallback) const {
  auto list = get(key, std::move(fallback));
  if (list.empty() || list.size() > kMaxListLength)
    fail(ErrorCode::kMalformed, "'{}.{}' has {} entries", path_, key, list.size());
  for (const std::int64_t value : list) check(key, value);
  return list;
}

std::int64_t CardSection::repeats(const std::string& key, std::int64_t fallback) const {
  return check(key, get<std::int64_t>(key, fallback), kMaxRepeats);
}

std::vector<std::int64_t> CardSection::repeats(const std::string& key,
                                               std::vector<std::int64_t> fallback) const {
  const auto list = dimensions(key, std::move(fallback));
  std::int64_t sum = 0;
  for (const std::int64_t value : list) sum += value;
  check(key, sum, kMaxRepeats);
  return list;
}

YAML::Node CardSection::lookup(const std::string& key) const {
  // The const operator[] does not insert the key.
  if (empty()) return YAML::Node(YAML::NodeType::Undefined);
  const YAML::Node& map = node_;
  return map[key];
}

// Not as<double>(): it reads with a stream, which takes want of memory for a broken number.
double CardSection::number(const std::string& key, const YAML::Node& value) const {
  if (!value.IsScalar()) fail_kind(key);
  const std::string& text = value.Scalar();
  const char* const end = text.data() + text.size();
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), end, number);
  if (error != std::errc() || rest != end || !std::isfinite(number)) fail_kind(key);
  return number;
}

void CardSection::fail_kind(const std::string& key) const {
  fail(ErrorCode::kMalformed, "'{}.{}' is not of the expected kind", path_, key);
}

std::int64_t CardSection::check(const std::string& key, std::int64_t value, std::int64_t most) const {
  if (value < 1 || value > most)
    fail(ErrorCode::kMalformed, "'{}.{}' is {}, expected 1 to {}", path_, key, value, most);
  return value;
}

}  // namespace sealite::model
