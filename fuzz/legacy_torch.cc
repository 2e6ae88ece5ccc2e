// Any bytes behind the magic number, version and properties of a file of torch before 1.6.
#include "../tests/checkpoint/builders.h"
#include "fuzz/input_file.h"
#include "fuzz/read_checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file(sealite::checkpoint::legacy_head() + std::string(data, data + size));
  read_checkpoint(file.path());
  return 0;
}
