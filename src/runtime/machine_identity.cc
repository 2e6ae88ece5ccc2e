#include "runtime/machine_identity.h"

#include <fmt/format.h>
#include <link.h>

#include "base/bytes.h"
#include "runtime/content_hash.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#else
#include <array>
#include <fstream>
#include <set>
#endif

namespace sealite::runtime {

#if defined(__x86_64__) || defined(__i386__)

// Not /proc/cpuinfo: it asks every core for its frequency, and under an emulator speaks of another processor.
std::string processor_identity() {
  struct Leaf {
    unsigned int number;
    unsigned int part;
    unsigned int ebx_mask;
  };
  // Maker; model and features (EBX holds the core's number); more features; the registers' total size that
  // the system lets programs use; features and name of the extended range.
  constexpr Leaf kLeaves[] = {{0, 0, ~0U},           {1, 0, 0},
                              {7, 0, ~0U},           {7, 1, ~0U},
                              {13, 0, ~0U},          {0x80000001U, 0, ~0U},
                              {0x80000002U, 0, ~0U}, {0x80000003U, 0, ~0U},
                              {0x80000004U, 0, ~0U}};
  std::string identity = "x86";
  for (const Leaf& leaf : kLeaves) {
    unsigned int a = 0;
    unsigned int b = 0;
    unsigned int c = 0;
    unsigned int d = 0;
    if (__get_cpuid_count(leaf.number, leaf.part, &a, &b, &c, &d) == 0) continue;
    identity += fmt::format(" {:x}:{:x},{:x},{:x},{:x}", leaf.number, a, b & leaf.ebx_mask, c, d);
  }
  return identity;
}

#else

// The lines that tell processors apart, over all cores: those of a phone are of two or three kinds.
std::string processor_identity() {
  constexpr std::array kNames = {"CPU implementer", "CPU architecture", "CPU variant", "CPU part",
                                 "CPU revision",    "Features",         "isa",         "uarch"};
  std::ifstream file("/proc/cpuinfo");
  std::set<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    for (const char* name : kNames) {
      if (line.starts_with(name)) lines.insert(line);
    }
  }
  std::string identity;
  for (const std::string& line : lines) identity += line + "\n";
  return identity;
}

#endif

namespace {

struct Search {
  ElfW(Addr) address;
  std::string hash;
};

// Which of the loaded libraries has the address; then what is in its segments that nobody writes to.
int hash_library(dl_phdr_info* library, std::size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  bool here = false;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const auto& segment = library->dlpi_phdr[i];
    const ElfW(Addr) start = library->dlpi_addr + segment.p_vaddr;
    here = here || (segment.p_type == PT_LOAD && search.address - start < segment.p_memsz);
  }
  if (!here) return 0;
  std::string hashes;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const auto& segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0 || (segment.p_flags & PF_R) == 0) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives numbers
    const auto* bytes = reinterpret_cast<const char*>(library->dlpi_addr + segment.p_vaddr);
    hashes += text_hash({bytes, segment.p_filesz});
  }
  search.hash = hashes;
  return 1;
}

}  // namespace

std::string library_identity(const void* function) {
  Search search{reinterpret_cast<ElfW(Addr)>(function), {}};
  ::dl_iterate_phdr(hash_library, &search);
  return search.hash;
}

}  // namespace sealite::runtime
