#pragma once

#include <string>

#include "e2e/run_sealite.h"

namespace sealite {

/// The message in assets/coffee.watermarked.png.
inline constexpr const char* kDemoMessage = "CD750D7D";

/// Converts the demo checkpoint to `path`, with more options if given.
inline Outcome convert_demo(const std::filesystem::path& path, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"convert",     asset("demo.pth"), "-o",
                                     path.string(), "--card",          asset("demo.card.yaml")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_sealite(arguments);
}

}  // namespace sealite
