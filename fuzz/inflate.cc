// Any deflate stream as the weights of a sound archive; the first four bytes are the size that it claims.
#include <cstring>

#include "../tests/checkpoint/builders.h"
#include "fuzz/input_file.h"
#include "fuzz/read_checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealite::checkpoint;
  constexpr std::uint32_t kMost = 1U << 20U;
  std::uint32_t claimed = 0;
  if (size < sizeof(claimed)) return 0;
  std::memcpy(&claimed, data, sizeof(claimed));
  TestEntry weights{
      .name = "t/data/0", .contents = std::string(data + sizeof(claimed), data + size), .method = 8};
  weights.real_size = claimed % kMost + 1;
  const TensorOps tensor{.storage_type = "torch\nByteStorage\n",
                         .elements = weights.real_size,
                         .shape = {weights.real_size},
                         .strides = {1}};
  const InputFile file(build_zip({{"t/data.pkl", model_pickle(tensor())}, weights}));
  read_checkpoint(file.path());
  return 0;
}
