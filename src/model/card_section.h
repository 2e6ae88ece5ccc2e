#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace sealite::model {

/// One mapping of a card's YAML, with its path for errors. Keys that are absent give the default; what is not
/// of the expected kind or out of range throws kMalformed, naming the key.
class CardSection {
 public:
  CardSection(const YAML::Node& node, std::string path);

  CardSection child(const std::string& key) const;
  bool has(const std::string& key) const { return lookup(key).IsDefined(); }
  bool empty() const { return !node_.IsDefined() || node_.IsNull(); }

  template <typename T>
  T get(const std::string& key, T fallback) const {
    const YAML::Node value = lookup(key);
    if (!value.IsDefined() || value.IsNull()) return fallback;
    if constexpr (std::is_same_v<T, double>) {
      return number(key, value);
    } else {
      try {
        return value.as<T>();
      } catch (const YAML::Exception&) {
        fail_kind(key);
      }
    }
  }
  /// 1 to kMaxDimension.
  std::int64_t dimension(const std::string& key, std::int64_t fallback) const;
  /// At least one of them, each 1 to kMaxDimension.
  std::vector<std::int64_t> dimensions(const std::string& key, std::vector<std::int64_t> fallback) const;

  /// How often a block is repeated, 1 to kMaxRepeats; for several stages, kMaxRepeats in all.
  std::int64_t repeats(const std::string& key, std::int64_t fallback) const;
  std::vector<std::int64_t> repeats(const std::string& key, std::vector<std::int64_t> fallback) const;

  // Each block is planned, with 3 KB for its ten parameters, before it is compared with a checkpoint's
  // tensors: 99 bytes of a card took 2.9 GB. Real models have 36 at most.
  static constexpr std::int64_t kMaxRepeats = 4096;
  // Far above every real model, and small enough that no product of them overflows 64 bits.
  static constexpr std::int64_t kMaxDimension = 1 << 20;

 private:
  YAML::Node lookup(const std::string& key) const;
  double number(const std::string& key, const YAML::Node& value) const;
  [[noreturn]] void fail_kind(const std::string& key) const;
  std::int64_t check(const std::string& key, std::int64_t value, std::int64_t most = kMaxDimension) const;

  YAML::Node node_;
  std::string path_;
};

}  // namespace sealite::model
