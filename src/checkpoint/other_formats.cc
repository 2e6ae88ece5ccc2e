#include "checkpoint/other_formats.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace sealite::checkpoint {
namespace {

constexpr std::size_t kLookedAt = 1024;

struct KnownStart {
  std::string_view bytes;
  std::string_view says;
};

using namespace std::string_view_literals;

constexpr KnownStart kStarts[] = {
    {"version https://git-lfs"sv,
     "a git-lfs pointer, not the file itself; fetch it with 'git lfs pull' (or the page's download link)"sv},
    {"\x89HDF\r\n\x1a\n"sv,
     "an HDF5 file (Keras), not a PyTorch checkpoint; Sealite reads .pth and .safetensors"sv},
    {"GGUF"sv, "a GGUF file, not a PyTorch checkpoint; Sealite reads .pth and .safetensors"sv},
    {"\x93NUMPY"sv, "a NumPy array, not a checkpoint; save the model's state_dict() with torch.save"sv},
    {"\x1f\x8b"sv, "a gzip file; unpack it with gunzip and give what is in it"sv},
    {"BZh"sv, "a bzip2 file; unpack it with bunzip2 and give what is in it"sv},
    {"\xfd"
     "7zXZ"sv,
     "an xz file; unpack it with unxz and give what is in it"sv},
    {"\x28\xb5\x2f\xfd"sv, "a zstd file; unpack it with unzstd and give what is in it"sv},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7-Zip file; unpack it and give what is in it"sv},
    {"Rar!"sv, "a RAR file; unpack it and give what is in it"sv},
    {"\x89PNG"sv, "a picture, not a checkpoint"sv},
    {"\xff\xd8\xff"sv, "a picture, not a checkpoint"sv},
    {"RIFF"sv, "a picture or a sound, not a checkpoint"sv},
};

// In small letters, behind white space and a byte order mark.
std::string front_text(std::string_view file) {
  std::string_view text = file.substr(0, kLookedAt);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text[0])) != 0) text.remove_prefix(1);
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
  });
  return small;
}

// A protobuf whose first field is a small IR version, the second the producer's name or the third its
// version.
bool is_onnx(std::string_view file) {
  if (file.size() < 8 || file[0] != '\x08' || file[1] < 1 || file[1] > 32) return false;
  const std::string_view front = file.substr(0, kLookedAt);
  return file[2] == '\x12' && static_cast<std::size_t>(file[3]) < 64 &&
         (front.find("pytorch") != std::string_view::npos || front.find("onnx") != std::string_view::npos ||
          front.find("tf2") != std::string_view::npos || front.find("keras") != std::string_view::npos);
}

}  // namespace

std::optional<std::string_view> other_format(ByteView bytes) {
  const std::string_view file = as_text(bytes);
  for (const KnownStart& start : kStarts) {
    if (file.starts_with(start.bytes)) return start.says;
  }
  if (file.size() > 8 && file.substr(4, 4) == "TFL3")
    return "a TFLite model, not a checkpoint: it is converted already";
  if (file.size() > 262 && file.substr(257, 5) == "ustar")
    return "a tar archive (as torch before 0.1.10 wrote, or one around a checkpoint); unpack it, or save the "
           "state_dict() again with a newer torch";
  if (is_onnx(file))
    return "an ONNX model, not a PyTorch checkpoint; give the checkpoint that it was made from";
  const std::string text = front_text(file);
  if (text.starts_with("<!doctype html") || text.starts_with("<html"))
    return "a web page, not a file: the download gave an error or a login page; fetch the file again";
  if (text.starts_with("<?xml") || text.starts_with("<error"))
    return "an XML message (of a file server), not a file: the download was refused; fetch the file again";
  if (text.starts_with("{") || text.starts_with("["))
    return "a JSON text, not a checkpoint; of a model in several files give the .index.json";
  // A pickle's first opcode and its last one.
  if (!file.empty() && file[0] == '\x80' && file.size() > 2 && file[1] >= 2 && file[1] <= 5)
    return "a bare Python pickle, not what torch.save writes; load it in Python and save the model's "
           "state_dict() with torch.save";
  return std::nullopt;
}

}  // namespace sealite::checkpoint
