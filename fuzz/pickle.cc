// Any pickle, in a sound zip with one storage.
#include "../tests/checkpoint/builders.h"
#include "fuzz/input_file.h"
#include "fuzz/read_checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file(sealite::checkpoint::torch_zip(std::string(data, data + size)));
  read_checkpoint(file.path());
  return 0;
}
