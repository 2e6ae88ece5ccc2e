#pragma once

#include <zlib.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sealite::checkpoint {

/// `value` as `bytes` little-endian bytes.
inline std::string le(std::uint64_t value, unsigned bytes) {
  std::string out;
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8U * i)) & 0xFFU);
  return out;
}

/// A zip entry as a test wants it, right or wrong.
struct TestEntry {
  std::string name;
  std::string contents;
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
  // What the headers claim, if it is not the truth.
  std::function<void(TestEntry&)> spoil = {};
  std::string local_name = {};
  std::uint32_t crc = 0;
  std::uint32_t local_size = 0;
  std::uint32_t directory_size = 0;
  std::uint32_t offset = 0;
};

inline std::string build_zip(std::vector<TestEntry> entries, std::string_view comment = {}) {
  std::string out;
  for (TestEntry& entry : entries) {
    entry.local_name = entry.name;
    entry.crc = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(entry.contents.data()), entry.contents.size()));
    entry.local_size = entry.directory_size = static_cast<std::uint32_t>(entry.contents.size());
    entry.offset = static_cast<std::uint32_t>(out.size());
    if (entry.spoil) entry.spoil(entry);
    out += le(0x04034b50, 4) + le(20, 2) + le(entry.flags, 2) + le(entry.method, 2) + le(0, 4) +
           le(entry.crc, 4);
    out += le(entry.local_size, 4) + le(entry.local_size, 4) + le(entry.local_name.size(), 2) + le(0, 2);
    out += entry.local_name + entry.contents;
  }
  const std::size_t directory = out.size();
  for (const TestEntry& entry : entries) {
    out += le(0x02014b50, 4) + le(20, 2) + le(20, 2) + le(entry.flags, 2) + le(entry.method, 2) + le(0, 4);
    out += le(entry.crc, 4) + le(entry.directory_size, 4) + le(entry.directory_size, 4) +
           le(entry.name.size(), 2);
    out += std::string(12, '\0') + le(entry.offset, 4) + entry.name;  // no extra, comment, disk, attributes
  }
  const std::size_t size = out.size() - directory;
  out += le(0x06054b50, 4) + le(0, 4) + le(entries.size(), 2) + le(entries.size(), 2) + le(size, 4);
  out += le(directory, 4) + le(comment.size(), 2) + std::string(comment);
  return out;
}

// ---- pickle opcodes ----
inline std::string text_op(std::string_view value) {
  return "X" + le(value.size(), 4) + std::string(value);
}
inline std::string int_op(std::int64_t value) {
  return "\x8a\x08" + le(static_cast<std::uint64_t>(value), 8);
}
inline std::string tuple_op(const std::vector<std::int64_t>& values) {
  std::string out = "(";
  for (const auto value : values) out += int_op(value);
  return out + "t";
}
inline std::string proto(std::string_view body) {
  return "\x80\x02" + std::string(body) + ".";
}

/// Opcodes that leave one tensor on the stack.
struct TensorOps {
  std::string storage_type = "torch\nFloatStorage\n";
  std::string key = "0";
  std::int64_t elements = 6;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape = {2, 3};
  std::vector<std::int64_t> strides = {3, 1};

  std::string operator()() const {
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + text_op("storage") + "c" + storage_type + text_op(key) +
           text_op("cpu") + int_op(elements) + "tQ" + int_op(offset) + tuple_op(shape) + tuple_op(strides) +
           "\x89"
           "ccollections\nOrderedDict\n)RtR";
  }
};

/// {"model": {"w": tensor}} and what else is given, as opcodes.
inline std::string model_pickle(const std::string& tensor, std::string_view more = {}) {
  return proto("}(" + text_op("model") + "}" + text_op("w") + tensor + "s" + std::string(more) + "u");
}

/// A torch zip around `pickle` with one storage "0".
inline std::string torch_zip(const std::string& pickle, const std::string& storage = std::string(24, '\1')) {
  return build_zip(
      {{"t/data.pkl", pickle}, {"t/byteorder", "little"}, {"t/data/0", storage}, {"t/version", "3\n"}});
}

/// A safetensors file.
inline std::string safetensors_file(std::string_view header, std::string_view data) {
  return le(header.size(), 8) + std::string(header) + std::string(data);
}

}  // namespace sealite::checkpoint
