// Any safetensors header, in front of 64 bytes.
#include "../tests/checkpoint/builders.h"
#include "fuzz/input_file.h"
#include "fuzz/read_checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string header(data, data + size);
  const InputFile file(sealite::checkpoint::safetensors_file(header, std::string(64, '\1')));
  read_checkpoint(file.path());
  return 0;
}
