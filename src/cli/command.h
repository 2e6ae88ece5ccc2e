#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace sealite::cli {

/// What a subcommand does when it is chosen; returns the exit status.
using Run = std::function<int()>;

/// Adds a subcommand to `app` and returns what it does. Each has its own file and one row in main.cc.
using AddCommand = Run (*)(CLI::App& app);

Run add_inspect(CLI::App& app);
Run add_convert(CLI::App& app);
Run add_verify(CLI::App& app);
Run add_embed(CLI::App& app);
Run add_detect(CLI::App& app);
Run add_extract(CLI::App& app);
Run add_make_checkpoint(CLI::App& app);
Run add_bench(CLI::App& app);

}  // namespace sealite::cli
