// Any array, in a sound archive.
#include "checkpoint/numpy.h"

#include "../tests/checkpoint/builders.h"
#include "fuzz/input_file.h"
#include "sealite/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const InputFile file(sealite::checkpoint::build_zip({{"a.npy", std::string(data, data + size)}}));
  try {
    sealite::checkpoint::read_numpy(file.path(), "a");
  } catch (const sealite::Error&) {
  }
  return 0;
}
