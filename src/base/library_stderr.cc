#include "base/library_stderr.h"

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace sealite {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Xword kReference = R_X86_64_GLOB_DAT;
#else
constexpr Elf64_Xword kReference = R_AARCH64_GLOB_DAT;
#endif

template <typename T>
T* pointer_to(std::uintptr_t address) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the linker's tables hold addresses
  return reinterpret_cast<T*>(address);
}

/// A loaded library's tables, by the tags of its dynamic section.
struct Tables {
  const Elf64_Sym* symbols = nullptr;
  const char* names = nullptr;
  const Elf64_Rela* relocations = nullptr;
  std::size_t bytes = 0;

  explicit Tables(const Elf64_Dyn* entry) {
    for (; entry->d_tag != DT_NULL; ++entry) {
      const auto address = entry->d_un.d_ptr;  // glibc has relocated it
      if (entry->d_tag == DT_SYMTAB) symbols = pointer_to<const Elf64_Sym>(address);
      if (entry->d_tag == DT_STRTAB) names = pointer_to<const char>(address);
      if (entry->d_tag == DT_RELA) relocations = pointer_to<const Elf64_Rela>(address);
      if (entry->d_tag == DT_RELASZ) bytes = entry->d_un.d_val;
    }
  }
};

/// The library's pointer to the variable `stderr`, or nullptr.
FILE*** find_reference(const link_map& library) {
  const Tables tables(library.l_ld);
  if (tables.symbols == nullptr || tables.names == nullptr || tables.relocations == nullptr) return nullptr;
  for (std::size_t i = 0; i < tables.bytes / sizeof(Elf64_Rela); ++i) {
    const Elf64_Rela& relocation = tables.relocations[i];
    if (ELF64_R_TYPE(relocation.r_info) != kReference) continue;
    const char* name = tables.names + tables.symbols[ELF64_R_SYM(relocation.r_info)].st_name;
    if (std::strcmp(name, "stderr") == 0) return pointer_to<FILE**>(library.l_addr + relocation.r_offset);
  }
  return nullptr;
}

}  // namespace

bool redirect_stderr(const link_map& library, std::FILE** stream) {
  FILE*** const reference = find_reference(library);
  if (reference == nullptr) return false;
  if (*reference == stream) return true;
  // It is among what the linker made read-only after relocating.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  void* const start = pointer_to<void>(reinterpret_cast<std::uintptr_t>(reference) / page * page);
  if (::mprotect(start, page, PROT_READ | PROT_WRITE) != 0) return false;
  *reference = stream;
  ::mprotect(start, page, PROT_READ);
  return true;
}

}  // namespace sealite

#else

namespace sealite {

bool redirect_stderr(const link_map& /*library*/, std::FILE** /*stream*/) {
  return false;
}

}  // namespace sealite

#endif
