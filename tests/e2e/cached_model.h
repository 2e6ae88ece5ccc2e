#pragma once

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/demo_model.h"

namespace sealite {

using Json = nlohmann::json;

// A detector of 16 MB: smaller ones than 8 MiB are not cached.
inline constexpr const char* kLargeCard =
    "args: {nbits: 64, img_size_proc: 64}\n"
    "extractor:\n"
    "  model: convnext_tiny\n"
    "  params:\n"
    "    encoder: {depths: [1, 1, 1, 2], dims: [32, 64, 128, 384], stem_stride: 4}\n"
    "    pixel_decoder: {upscale_stages: [1]}\n";

// What a run said of the one picture.
struct Answer {
  std::string cache;
  Json logits;
};

inline Answer answer(const Outcome& outcome) {
  expect_success(outcome);
  const Json line = Json::parse(outcome.out.substr(0, outcome.out.find('\n')), nullptr, false);
  if (!line.is_object() || !line.contains("logits")) {
    ADD_FAILURE() << "no answer: " << outcome.out;
    return {};
  }
  return {line["cache"], line["logits"]};
}

class WeightCache : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(std::getenv("SEALITE_CACHE_DIR"), nullptr);
    outer_ = std::getenv("SEALITE_CACHE_DIR");
    ::setenv("SEALITE_CACHE_DIR", cache().c_str(), 1);
    write_text(folder_ / "card.yaml", kLargeCard);
    make_model(0, model());
    right_ = answer(run_sealite(detect({"--no-cache"}))).logits;
    ASSERT_FALSE(std::filesystem::exists(cache())) << "--no-cache made the folder";
  }
  void TearDown() override {
    ::setenv("SEALITE_CACHE_DIR", outer_.c_str(), 1);
    ::unsetenv("SEALITE_CACHE_SIZE");
  }

  // The seed chooses the weights; all else is the same.
  void make_model(int seed, const std::filesystem::path& path) const {
    const std::string checkpoint = folder_ / "seeded.pth";
    expect_success(run_sealite({"make-checkpoint", "--card", folder_ / "card.yaml", "--part", "detector",
                                "--seed", std::to_string(seed), "-o", checkpoint}));
    expect_success(run_sealite({"convert", checkpoint, "-o", path, "--card", folder_ / "card.yaml"}));
  }

  std::filesystem::path model() const { return folder_ / "model.tflite"; }
  std::filesystem::path cache() const { return folder_ / "cache"; }
  std::vector<std::string> detect(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"detect", model(), asset("coffee.png"), "--json", "--logits"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  void expect_right(const std::string& use, const Answer& found) const {
    EXPECT_EQ(found.cache, use);
    EXPECT_EQ(found.logits, right_);
  }
  void expect_right(const std::string& use) const { expect_right(use, answer(run_sealite(detect()))); }

  std::vector<std::filesystem::path> files(const std::string& extension) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(cache())) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    return found;
  }
  std::filesystem::path weights() const {
    const auto found = files(".weights");
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? std::filesystem::path() : found[0];
  }
  // One cached model and nothing half-done: its weights, their note, the model's note, the lock.
  void expect_tidy() const {
    EXPECT_EQ(files(".weights").size(), 1U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(cache()), {}), 4);
  }

  ScratchFolder folder_;
  Json right_;
  std::string outer_;
};

}  // namespace sealite
