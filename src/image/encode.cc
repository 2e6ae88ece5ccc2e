#include "image/encode.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/context.h"
#include "base/error.h"
#include "image/head_writer.h"
#include "image/metadata.h"
#include "image/vips_image.h"
#include "image/vips_program.h"

namespace sealite::image {
namespace {

constexpr std::array<std::pair<std::string_view, FileFormat>, 8> kExtensions{{
    {".jpg", FileFormat::kJpeg},
    {".jpeg", FileFormat::kJpeg},
    {".jfif", FileFormat::kJpeg},
    {".png", FileFormat::kPng},
    {".webp", FileFormat::kWebp},
    {".avif", FileFormat::kAvif},
    {".tif", FileFormat::kTiff},
    {".tiff", FileFormat::kTiff},
}};

struct Limit {
  const char* name;
  std::int64_t side;
};

Limit limit_of(FileFormat format) {
  switch (format) {
    case FileFormat::kJpeg:
      return {"JPEG", 65535};
    case FileFormat::kWebp:
      return {"WebP", 16383};
    case FileFormat::kAvif:
      return {"AVIF", 16384};  // libvips' limit
    default:
      return {"PNG and TIFF", 1 << 24};
  }
}

/// The file as libvips' encoders see it. They are C: no exception may pass through them, so the first one
/// waits here.
class Target {
 public:
  Target(AtomicFile& file, FileFormat format, const Head* head)
      : file_(file), format_(format), head_(head), target_(vips_target_custom_new()) {
    check_vips(target_ == nullptr ? -1 : 0, ErrorCode::kInternal, "cannot make a target");
    g_signal_connect(target_.get(), "write", G_CALLBACK(on_write), this);
    g_signal_connect(target_.get(), "read", G_CALLBACK(on_read), this);
    g_signal_connect(target_.get(), "seek", G_CALLBACK(on_seek), this);
  }

  VipsTarget* get() const { return VIPS_TARGET(target_.get()); }
  std::uint64_t size() const { return size_; }
  /// What waits for the whole file.
  void finish() {
    if (head_ == nullptr || held_.empty()) return;
    const auto whole = with_head(held_, format_, *head_);
    if (!whole && format_ == FileFormat::kAvif)
      fail(ErrorCode::kUnsupported,
           "'{}': this libheif writes an AVIF of another structure; write WebP or PNG",
           file_.path().string());
    write_held(whole ? *whole : held_);
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  template <typename Body>
  gint64 guard(const Body& body) {
    try {
      const InContext scope(context_);  // the thread is libvips'
      check_cancelled();
      return body();
    } catch (...) {
      if (!error_) error_ = std::current_exception();
      return -1;
    }
  }
  static gint64 on_write(VipsTargetCustom*, const void* data, gint64 length, void* self) {
    auto& own = *static_cast<Target*>(self);
    return own.guard([&] {
      const auto count = static_cast<std::size_t>(length);
      if (own.head_ == nullptr) {
        own.append(ByteView(static_cast<const std::byte*>(data), count));
        return length;
      }
      own.held_.append(static_cast<const char*>(data), count);
      if (own.format_ == FileFormat::kWebp || own.format_ == FileFormat::kAvif)
        return length;  // whole at the end
      if (const auto start = with_head(own.held_, own.format_, *own.head_)) own.write_held(*start);
      return length;
    });
  }
  static gint64 on_read(VipsTargetCustom*, void* data, gint64 length, void* self) {
    auto& own = *static_cast<Target*>(self);
    return own.guard([&] {
      const std::uint64_t left = own.size_ - std::min(own.position_, own.size_);
      const auto count = std::min(static_cast<std::uint64_t>(length), left);
      own.file_.read(own.position_, MutableByteView(static_cast<std::byte*>(data), count));
      own.position_ += count;
      return static_cast<gint64>(count);
    });
  }
  static gint64 on_seek(VipsTargetCustom*, gint64 offset, int whence, void* self) {
    auto& own = *static_cast<Target*>(self);
    return own.guard([&] {
      const std::uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? own.position_ : own.size_;
      own.position_ = base + static_cast<std::uint64_t>(offset);
      return static_cast<gint64>(own.position_);
    });
  }

  void append(ByteView bytes) {
    file_.write(position_, bytes);
    position_ += bytes.size();
    size_ = std::max(size_, position_);
  }
  void write_held(const std::string& bytes) {
    append(as_bytes(bytes));
    head_ = nullptr;
    held_ = {};
  }

  AtomicFile& file_;
  FileFormat format_;
  const Head* head_;  // null once it is written
  std::string held_;
  const Context& context_ = current_context();
  std::unique_ptr<VipsTargetCustom, Unref> target_;
  std::uint64_t position_ = 0;
  std::uint64_t size_ = 0;
  std::exception_ptr error_;
};

/// A view: the bytes have to stay.
Image view_of(std::span<const std::uint8_t> bytes, const Picture& picture, int bands) {
  Image image(vips_image_new_from_memory(bytes.data(), bytes.size(), static_cast<int>(picture.width),
                                         static_cast<int>(picture.height), bands, VIPS_FORMAT_UCHAR));
  check_vips(image == nullptr ? -1 : 0, ErrorCode::kInternal, "cannot hand the picture to libvips");
  return image;
}

/// The pixels as libvips wants them, with alpha and metadata.
class Pixels {
 public:
  Pixels(const Picture& picture, const EncodeOptions& options) : rgb_(view_of(picture.rgb, picture, 3)) {
    VipsImage* next = nullptr;
    VipsImage* bands = rgb_.get();
    if (!options.alpha.empty() && keeps_alpha(options.format)) {
      alpha_ = view_of(options.alpha, picture, 1);
      check_vips(vips_bandjoin2(rgb_.get(), alpha_.get(), &next, nullptr), ErrorCode::kInternal,
                 "cannot add alpha");
      joined_ = Image(next);
      bands = next;
    }
    check_vips(vips_copy(bands, &next, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr),
               ErrorCode::kInternal, "cannot hand the picture to libvips");
    image_ = Image(next);
    vips_image_set_int(next, VIPS_META_CONCURRENCY, std::max(1, current_context().threads));
    if (options.metadata != nullptr) options.metadata->put_on(image_.get());
    const bool libvips_writes_them =
        options.format == FileFormat::kTiff || options.format == FileFormat::kWebp;
    if (!libvips_writes_them) {  // the head has them
      for (const char* name : {VIPS_META_XMP_NAME, VIPS_META_EXIF_NAME})
        vips_image_remove(image_.get(), name);
    }
  }
  VipsImage* get() const { return image_.get(); }

 private:
  Image rgb_;
  Image alpha_;
  Image joined_;
  Image image_;
};

/// Status 0 if it could. No option that makes an encoder hold the whole picture (optimize_coding, interlace).
int save(VipsImage* image, VipsTarget* target, const EncodeOptions& options) {
  switch (options.format) {
    case FileFormat::kJpeg:
      return vips_jpegsave_target(image, target, "Q", options.quality, nullptr);
    case FileFormat::kWebp:
      return vips_webpsave_target(image, target, "Q", options.quality, nullptr);
    case FileFormat::kAvif:
      return vips_heifsave_target(image, target, "Q", options.quality, "compression",
                                  VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "bitdepth", 8, nullptr);
    case FileFormat::kTiff:
      return vips_tiffsave_target(image, target, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE,
                                  "predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, nullptr);
    case FileFormat::kPng:
      break;
  }
  // Photos: the Paeth filter is a third of the file, trying all five filters is slow.
  return vips_pngsave_target(image, target, "compression", 6, "filter", VIPS_FOREIGN_PNG_FILTER_PAETH,
                             nullptr);
}

}  // namespace

FileFormat format_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto* const found =
      std::ranges::find(kExtensions, extension, &std::pair<std::string_view, FileFormat>::first);
  if (found == kExtensions.end()) {
    fail(ErrorCode::kUsage,
         "'{}': the extension says no picture format; write to .jpg, .png, .webp, .avif or .tif",
         path.string());
  }
  return found->second;
}

void check_fits(FileFormat format, std::int64_t height, std::int64_t width) {
  const Limit limit = limit_of(format);
  if (std::max(height, width) > limit.side) {
    fail(ErrorCode::kUnsupported, "{} x {} pixels: {} holds at most {} a side; write PNG or TIFF", width,
         height, limit.name, limit.side);
  }
  // Measured with libaom 3.6: 24 megapixels take 1 GB; 100 take 9 GB and many minutes, deaf to Ctrl-C.
  constexpr std::int64_t kMaxAvifPixels = 25'000'000;
  if (format == FileFormat::kAvif && height * width > kMaxAvifPixels) {
    fail(ErrorCode::kUnsupported,
         "{} x {} pixels: AVIF's encoder takes gigabytes beyond {} megapixels; write JPEG, PNG, WebP or TIFF",
         width, height, kMaxAvifPixels / 1'000'000);
  }
}

std::vector<std::string> left_out(const Metadata& metadata, FileFormat format) {
  std::vector<std::string> words;
  make_head(metadata, format, words);
  return words;
}

std::uint64_t encode_picture(const Picture& picture, const EncodeOptions& options, AtomicFile& file) {
  start_vips();
  const MemoryWatch memory;
  check_fits(options.format, picture.height, picture.width);
  if (options.format == FileFormat::kAvif) load_vips_module_of(Decoder::kHeif);
  std::vector<std::string> ignored;
  Head head;
  if (options.metadata != nullptr) head = make_head(*options.metadata, options.format, ignored);
  Target target(file, options.format, options.format == FileFormat::kTiff ? nullptr : &head);
  const Pixels pixels(picture, options);
  const int status = save(pixels.get(), target.get(), options);
  target.rethrow();
  check_vips(status, ErrorCode::kUnsupported,
             fmt::format("'{}': cannot encode the picture", file.path().string()));
  target.finish();
  memory.check();
  return target.size();
}

}  // namespace sealite::image
