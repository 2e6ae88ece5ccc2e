// Any index of shards, in a folder with two of them.
#include "checkpoint/shards.h"

#include <fstream>

#include "../tests/checkpoint/builders.h"
#include "sealite/error.h"

namespace {

// Made once, left behind: a fuzzer is killed.
const std::filesystem::path& folder() {
  static const std::filesystem::path kFolder = [] {
    const auto path = std::filesystem::temp_directory_path() / "sealite-fuzz-shards";
    std::filesystem::create_directories(path);
    for (const char* name : {"a", "b"}) std::ofstream(path / name, std::ios::binary) << name;
    return path;
  }();
  return kFolder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealite;
  const ByteView index = std::as_bytes(std::span(data, size));
  if (!checkpoint::is_shard_index(index)) return 0;
  try {
    checkpoint::read_shards(index, folder(), [](ByteView shard) {
      checkpoint::Contents contents;
      contents.tensors["w"] = {DType::kUInt8, {1}, {1}, shard, "w"};
      return contents;
    });
  } catch (const Error&) {
  }
  return 0;
}
