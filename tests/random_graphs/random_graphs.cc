// Makes random models that satisfy the check of models before they run, and gives them to what `detect`,
// `embed` and `verify` run: each answers, or says that the answer is no number (65). Nothing else may happen.
//   random_graphs [--count N] [--seed FIRST] [--folder DIR]
// A model on which something else happens stays in the folder as SEED.tflite.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"
#include "model_file/runnable_graph.h"
#include "random_graph.h"
#include "runtime/litert_library.h"
#include "sealite/sealite.hpp"

namespace sealite {
namespace {

struct Arguments {
  std::uint64_t count = 300;
  std::uint64_t seed = 1;
  std::filesystem::path folder = std::filesystem::temp_directory_path();
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--count") arguments.count = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--seed") arguments.seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--folder") arguments.folder = argv[i + 1];
  }
  return arguments;
}

// "answers", "65", or what should not be.
template <typename Run>
std::string outcome_of(std::string_view what, Run run) {
  try {
    run();
    return fmt::format("{}: answers", what);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kMalformed &&
        std::string_view(error.what()).find("finite") != std::string::npos)
      return fmt::format("{}: no numbers (65)", what);
    throw Error(error.code(),
                fmt::format("{}: status {}: {}", what, static_cast<int>(error.code()), error.what()));
  }
}

class Trial {
 public:
  explicit Trial(std::filesystem::path path) : path_(std::move(path)) {}

  void run(std::uint64_t seed, std::map<std::string, std::uint64_t>& outcomes) const {
    const RandomModel model = make_random_model(seed);
    tflite::write(model.graph, path_, model.options);
    model_file::read_runnable_graph(path_, model.options.signature);
    const Picture grey{kHeight, kWidth,
                       std::vector<std::uint8_t>(static_cast<std::size_t>(kHeight * kWidth * 3), 77)};
    ++outcomes[model.options.signature == "detect" ? detect(grey) : embed(grey)];
    ++outcomes[outcome_of("verify", [&] {
      VerifyOptions options;
      options.context.litert_library = runtime::litert_library();
      options.runs = 2;
      options.threads = 2;
      verify_model(path_, options);
    })];
  }

 private:
  static constexpr std::int64_t kHeight = 20;
  static constexpr std::int64_t kWidth = 31;

  std::string detect(const Picture& picture) const {
    return outcome_of("detect", [&] {
      DetectorOptions options;
      options.context.litert_library = runtime::litert_library();
      Detector(path_, options).detect(picture);
    });
  }

  std::string embed(Picture picture) const {
    return outcome_of("embed", [&] {
      EmbedderOptions options;
      options.context.litert_library = runtime::litert_library();
      Embedder embedder(path_, options);
      embedder.embed(picture, picture.mutable_view(), std::string((embedder.bits() + 3) / 4, '0'));
    });
  }

  std::filesystem::path path_;
};

int run(const Arguments& arguments) {
  std::map<std::string, std::uint64_t> outcomes;
  std::uint64_t failures = 0;
  for (std::uint64_t seed = arguments.seed; seed < arguments.seed + arguments.count; ++seed) {
    const std::filesystem::path path = arguments.folder / fmt::format("{}.tflite", seed);
    try {
      Trial(path).run(seed, outcomes);
      std::filesystem::remove(path);
    } catch (const Error& error) {
      fmt::print("{}: {}\n{}", seed, error.what(), dump(make_random_model(seed).graph));
      std::fflush(stdout);
      ++failures;
    }
  }
  for (const auto& [outcome, count] : outcomes) fmt::print("{:>8} {}\n", count, outcome);
  fmt::print("{} models, {} failures\n", arguments.count, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sealite

int main(int argc, char** argv) {
  return sealite::run(sealite::parse(argc, argv));
}
