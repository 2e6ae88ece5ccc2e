#include "image/vips_image.h"

#include <cerrno>
#include <mutex>
#include <string>
#include <string_view>

#include "image/vips_program.h"

namespace sealite::image {
namespace {

constexpr const char* kNoReason = "libvips gives no reason";

/// libvips' error buffer as one printable line; it quotes file names and bytes of the file.
std::string take_vips_error() {
  constexpr std::size_t kLongest = 300;
  char* copied = vips_error_buffer_copy();  // also empties it
  std::string text = copied != nullptr ? copied : "";
  g_free(copied);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  text.erase(text.find_last_not_of(' ') + 1);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text.empty() ? kNoReason : text;
}

}  // namespace

// Its settings are the host's: only a program of our own changes them.
void start_vips() {
  static std::once_flag once;
  std::call_once(once, [] {
    listen_to_vips_of_program();
    if (vips_init("sealite") != 0) fail(ErrorCode::kInternal, "libvips cannot start: {}", take_vips_error());
    set_up_vips_of_program();
  });
}

MemoryWatch::MemoryWatch() : before_(allocations_lost()) {}

void MemoryWatch::check() const {
  if (allocations_lost() != before_) fail(ErrorCode::kNoMemory, "not enough memory for the picture");
}

void check_vips(int status, ErrorCode code, std::string_view what) {
  if (status == 0) return;
  const bool starved = errno == ENOMEM;
  const std::string error = take_vips_error();
  // Of a picture that is sound, as far as anybody knows; some decoders have no words for it.
  if (starved && error == kNoReason) fail(ErrorCode::kNoMemory, "not enough memory for the picture");
  const bool no_memory = error.find("vips_tracked: out of memory") != std::string::npos;
  fail(no_memory ? ErrorCode::kNoMemory : code, "{} ({})", what, error);
}

}  // namespace sealite::image
