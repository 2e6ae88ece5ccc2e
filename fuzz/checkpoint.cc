// Any bytes as a checkpoint file: zip, pickle and safetensors, and every tensor that they claim.
#include "checkpoint/checkpoint.h"

#include "fuzz/input_file.h"
#include "fuzz/read_checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file(std::span(data, size));
  read_checkpoint(file.path());
  return 0;
}
