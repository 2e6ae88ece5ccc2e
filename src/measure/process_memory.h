#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sealite::measure {

/// Bytes of this process's memory; 0 where the kernel does not tell.
struct ProcessMemory {
  std::uint64_t resident = 0;
  std::uint64_t unshared = 0;  ///< Of it in pages of this process alone: not the mapped file's.
};

ProcessMemory read_process_memory();

/// The largest resident memory since the start, or since the last `reset_peak_memory` that worked.
std::uint64_t read_peak_memory();

/// Starts the peak anew, where the kernel lets a process do so.
void reset_peak_memory();

/// The number behind "NAME:" in the kernel's text, in bytes ("Rss:   123 kB" gives 125952); 0 if there is
/// none. `NAME` may stand several times: the first counts.
std::uint64_t kernel_figure(std::string_view text, std::string_view name);

/// "AMD EPYC 9B45", from /proc/cpuinfo; empty where that has no name.
std::string processor_name();

}  // namespace sealite::measure
