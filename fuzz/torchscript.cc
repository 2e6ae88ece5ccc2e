// Any pickle, in a sound TorchScript archive with one storage.
#include "../tests/checkpoint/builders.h"
#include "fuzz/input_file.h"
#include "fuzz/read_checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file(sealite::checkpoint::build_zip({{"t/data.pkl", std::string(data, data + size)},
                                                       {"t/data/0", std::string(24, '\1')},
                                                       {"t/code/__torch__.py", "import os"}}));
  read_checkpoint(file.path());
  return 0;
}
