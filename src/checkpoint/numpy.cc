#include "checkpoint/numpy.h"

#include <charconv>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "checkpoint/inflate.h"
#include "checkpoint/zip_index.h"

namespace sealite::checkpoint {
namespace {

constexpr std::string_view kNumpyMagic = "\x93NUMPY";
constexpr std::size_t kMaxArrayRank = 8;

// The header is a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (4, 33), }
class Header {
 public:
  explicit Header(std::string_view text) : text_(text) {}

  std::string_view quoted(std::string_view key) const {
    const std::string_view value = after(key);
    const std::size_t end = value.size() > 1 && value[0] == '\'' ? value.find('\'', 1) : value.npos;
    if (end == value.npos) broken(key);
    return value.substr(1, end - 1);
  }
  bool flag(std::string_view key) const {
    const std::string_view value = after(key);
    if (!value.starts_with("True") && !value.starts_with("False")) broken(key);
    return value.starts_with("True");
  }
  Shape tuple(std::string_view key) const {
    std::string_view value = after(key);
    const std::size_t end = value.find(')');
    if (!value.starts_with('(') || end == value.npos) broken(key);
    value = value.substr(1, end - 1);
    Shape shape;
    while (!value.empty()) {
      std::int64_t size = 0;
      const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (error != std::errc() || size < 0 || shape.size() == kMaxArrayRank) broken(key);
      shape.push_back(size);
      value.remove_prefix(static_cast<std::size_t>(rest - value.data()));
      while (value.starts_with(',') || value.starts_with(' ')) value.remove_prefix(1);
    }
    return shape;
  }

 private:
  std::string_view after(std::string_view key) const {
    const std::string pattern = fmt::format("'{}': ", key);
    const std::size_t at = text_.find(pattern);
    if (at == text_.npos) broken(key);
    return text_.substr(at + pattern.size());
  }
  [[noreturn]] static void broken(std::string_view key) {
    fail(ErrorCode::kMalformed, "the .npy header has no proper '{}'", key);
  }

  std::string_view text_;
};

using ReadElement = float (*)(ByteView bytes, std::size_t index);

template <typename T>
float read_as(ByteView bytes, std::size_t index) {
  return static_cast<float>(load<T>(bytes, index * sizeof(T)));
}

struct NumpyType {
  std::string_view descr;
  std::size_t size;
  ReadElement read;
};

constexpr NumpyType kNumpyTypes[] = {
    {"<f4", 4, read_as<float>},
    {"<f8", 8, read_as<double>},
    {"<f2", 2,
     [](ByteView bytes, std::size_t i) { return half_to_float(load<std::uint16_t>(bytes, 2 * i)); }},
    {"|u1", 1, read_as<std::uint8_t>},
    {"|i1", 1, read_as<std::int8_t>},
    {"|b1", 1, read_as<std::uint8_t>},
    {"<i4", 4, read_as<std::int32_t>},
    {"<i8", 8, read_as<std::int64_t>},
};

const NumpyType& find_numpy_type(std::string_view descr) {
  for (const NumpyType& type : kNumpyTypes) {
    if (type.descr == descr) return type;
  }
  fail(ErrorCode::kUnsupported, "elements of type '{}'; save float32", printable(descr));
}

// An .npy file's header, and the bytes behind it.
struct Parts {
  Header fields;
  ByteView data;
};

Parts take_apart(ByteView file) {
  if (file.size() < 12 || as_text(file.first(kNumpyMagic.size())) != kNumpyMagic)
    fail(ErrorCode::kMalformed, "it is no .npy array");
  const auto version = load<std::uint8_t>(file, 6);
  if (version < 1 || version > 3) fail(ErrorCode::kMalformed, "its version {} is not 1 to 3", version);
  const bool first_version = version == 1;
  const std::size_t start = first_version ? 10 : 12;
  const std::size_t header = first_version ? load<std::uint16_t>(file, 8) : load<std::uint32_t>(file, 8);
  if (header > file.size() - start) fail(ErrorCode::kMalformed, "its header is cut off");
  return {Header(as_text(file.subspan(start, header))), file.subspan(start + header)};
}

NumpyArray parse(ByteView file) {
  const auto [fields, data] = take_apart(file);
  const NumpyType& type = find_numpy_type(fields.quoted("descr"));
  if (fields.flag("fortran_order"))
    fail(ErrorCode::kUnsupported, "Fortran order; save numpy.ascontiguousarray(x)");
  NumpyArray array;
  array.shape = fields.tuple("shape");
  const auto count = element_count(array.shape);
  const auto bytes = count ? checked_multiply(*count, type.size) : std::nullopt;
  if (bytes != data.size())
    fail(ErrorCode::kMalformed, "{} elements of {} bytes do not fill its {} bytes", to_string(array.shape),
         type.size, data.size());
  array.values.resize(*count);
  for (std::size_t i = 0; i < array.values.size(); ++i) array.values[i] = type.read(data, i);
  return array;
}

// "<U9": UTF-32, filled up with zeros.
std::string parse_text(ByteView file) {
  constexpr std::size_t kMaxLetters = 64;
  const auto [fields, data] = take_apart(file);
  if (!fields.quoted("descr").starts_with("<U") || !fields.tuple("shape").empty() ||
      data.size() > kMaxLetters * sizeof(std::uint32_t))
    fail(ErrorCode::kUnsupported, "no single text of at most {} letters", kMaxLetters);
  std::string text;
  for (std::size_t i = 0; i + sizeof(std::uint32_t) <= data.size(); i += sizeof(std::uint32_t)) {
    const auto letter = load<std::uint32_t>(data, i);
    if (letter > 0x7E) fail(ErrorCode::kUnsupported, "a text with other letters than ASCII's");
    if (letter != 0) text += static_cast<char>(letter);
  }
  return text;
}

// `parse` of the array's bytes, with the file and the array in the errors.
template <typename Parse>
auto read_array(const std::filesystem::path& path, const std::string& name, Parse parse)
    -> std::optional<decltype(parse(ByteView()))> {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    const std::filesystem::path file = path / (name + ".npy");
    if (!std::filesystem::exists(file, ignored)) return std::nullopt;
    return add_context(fmt::format("'{}'", file.string()), [&] { return parse(MappedFile(file).bytes()); });
  }
  const MappedFile archive(path);
  return add_context(fmt::format("'{}', array '{}'", path.string(), name),
                     [&]() -> std::optional<decltype(parse(ByteView()))> {
                       const ZipIndex index = read_zip_index(archive.bytes());
                       const auto entry = index.find(name + ".npy");
                       if (entry == index.end()) return std::nullopt;
                       if (!entry->second.deflated)
                         check_crc(entry->first, entry->second, entry->second.packed);
                       const Contained contained = contents_of({{entry->first, &entry->second}});
                       return parse(contained.bytes[0]);
                     });
}

}  // namespace

std::optional<NumpyArray> read_numpy(const std::filesystem::path& path, const std::string& name) {
  return read_array(path, name, parse);
}

std::optional<std::string> read_numpy_text(const std::filesystem::path& path, const std::string& name) {
  return read_array(path, name, parse_text);
}

}  // namespace sealite::checkpoint
