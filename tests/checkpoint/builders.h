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
  std::uint32_t real_size = 0;  // of what is compressed
  std::uint32_t real_crc = 0;
};

inline std::string build_zip(std::vector<TestEntry> entries, std::string_view comment = {}) {
  std::string out;
  for (TestEntry& entry : entries) {
    entry.local_name = entry.name;
    entry.crc = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(entry.contents.data()), entry.contents.size()));
    entry.local_size = entry.directory_size = static_cast<std::uint32_t>(entry.contents.size());
    if (entry.real_size != 0) {
      entry.crc = entry.real_crc;
      entry.local_size = entry.directory_size = entry.real_size;
    }
    entry.offset = static_cast<std::uint32_t>(out.size());
    if (entry.spoil) entry.spoil(entry);
    out += le(0x04034b50, 4) + le(20, 2) + le(entry.flags, 2) + le(entry.method, 2) + le(0, 4) +
           le(entry.crc, 4);
    const bool packed = entry.real_size != 0;
    out += le(packed ? entry.contents.size() : entry.local_size, 4) + le(entry.local_size, 4) +
           le(entry.local_name.size(), 2) + le(0, 2);
    out += entry.local_name + entry.contents;
  }
  const std::size_t directory = out.size();
  for (const TestEntry& entry : entries) {
    out += le(0x02014b50, 4) + le(20, 2) + le(20, 2) + le(entry.flags, 2) + le(entry.method, 2) + le(0, 4);
    const bool packed = entry.real_size != 0;
    out += le(entry.crc, 4) + le(packed ? entry.contents.size() : entry.directory_size, 4) +
           le(entry.directory_size, 4) + le(entry.name.size(), 2);
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

/// Raw deflate, as zip entries have it.
inline std::string deflated(std::string_view bytes) {
  std::string out(bytes.size() + 1024, '\0');
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string in(bytes);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  deflateEnd(&stream);
  out.resize(stream.total_out);
  return out;
}

/// An entry whose contents are deflated, and whose headers say so.
inline TestEntry deflated_entry(std::string name, const std::string& contents) {
  TestEntry entry{.name = std::move(name), .contents = deflated(contents), .method = 8};
  entry.real_size = static_cast<std::uint32_t>(contents.size());
  entry.real_crc = static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(contents.data()), contents.size()));
  return entry;
}

/// What stands before the checkpoint's own pickle in a file of torch before 1.6.
inline std::string legacy_head() {
  return std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15) +
         proto("M" + le(1001, 2)) + proto("}" + text_op("little_endian") + "\x88s");
}

/// Such a file: `storages` are keys and bytes, of elements of `element_bytes`.
inline std::string legacy_file(const std::string& pickle,
                               const std::vector<std::pair<std::string, std::string>>& storages,
                               std::size_t element_bytes = 4) {
  std::string keys = "](";
  for (const auto& [key, bytes] : storages) keys += text_op(key);
  std::string out = legacy_head() + pickle + proto(keys + "e");
  for (const auto& [key, bytes] : storages) out += le(bytes.size() / element_bytes, 8) + bytes;
  return out;
}

/// Opcodes of an object of a TorchScript: its class and its attributes.
inline std::string script_op(std::string_view name, std::string_view attributes) {
  return "c__torch__." + std::string(name.substr(0, name.rfind('.'))) + "\n" +
         std::string(name.substr(name.rfind('.') + 1)) + "\n)\x81}(" + std::string(attributes) + "ub";
}

/// A safetensors file.
inline std::string safetensors_file(std::string_view header, std::string_view data) {
  return le(header.size(), 8) + std::string(header) + std::string(data);
}

}  // namespace sealite::checkpoint
