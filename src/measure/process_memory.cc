#include "measure/process_memory.h"

#include <charconv>
#include <fstream>
#include <iterator>

namespace sealite::measure {
namespace {

std::string read_kernel_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What stands behind "NAME" and its colon, up to the end of the line.
std::string_view line_of(std::string_view text, std::string_view name) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = text.substr(start, end - start);
    start = end + 1;
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with(':')) continue;
    line.remove_prefix(1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line;
  }
  return {};
}

}  // namespace

std::uint64_t kernel_figure(std::string_view text, std::string_view name) {
  const std::string_view line = line_of(text, name);
  std::uint64_t kilobytes = 0;
  std::from_chars(line.data(), line.data() + line.size(), kilobytes);
  return kilobytes * 1024;
}

ProcessMemory read_process_memory() {
  const std::string text = read_kernel_file("/proc/self/smaps_rollup");
  if (text.empty()) return {kernel_figure(read_kernel_file("/proc/self/status"), "VmRSS"), 0};
  return {kernel_figure(text, "Rss"),
          kernel_figure(text, "Private_Clean") + kernel_figure(text, "Private_Dirty")};
}

std::uint64_t read_peak_memory() {
  return kernel_figure(read_kernel_file("/proc/self/status"), "VmHWM");
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::string processor_name() {
  return std::string(line_of(read_kernel_file("/proc/cpuinfo"), "model name"));
}

}  // namespace sealite::measure
