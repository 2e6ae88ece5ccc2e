#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sealite::cli {

inline constexpr const char* kCheckpointFiles =
    ".pth, TorchScript or .safetensors file, an .index.json of shards or its folder";

/// `--key`.
inline void add_key_option(CLI::App& command, std::string& key) {
  command.add_option("--key", key,
                     "Which of several state dicts in the checkpoint (model_ema), or networks by what their "
                     "names begin with");
}

}  // namespace sealite::cli
