#include "sealite/files.h"

#include <mutex>
#include <shared_mutex>
#include <system_error>

#include "base/atomic_file.h"
#include "base/context.h"
#include "base/error.h"
#include "base/one_call.h"
#include "image/encode.h"
#include "image/picture.h"
#include "image/vips_program.h"
#include "watermark/detect_stream.h"
#include "watermark/detector_access.h"
#include "watermark/message.h"

namespace sealite {
namespace {

// libvips has one text of errors for all threads: a picture that fails is read once more with nobody beside
// it, so that its error is its own.
class PictureReader {
 public:
  PictureReader(const ReadOptions& options, bool several) : limits_{options.max_pixels}, several_(several) {}

  Picture read(const std::filesystem::path& path) {
    try {
      const std::shared_lock lock(alone_);
      return image::read_picture(path, limits_);
    } catch (const Error& error) {
      std::error_code ignored;
      const bool again = several_ && std::filesystem::is_regular_file(path, ignored);  // a pipe is read up
      if (!again || is_cancellation(error.code())) throw;
    }
    const std::unique_lock lock(alone_);
    return image::read_picture(path, limits_);
  }

 private:
  image::ReadLimits limits_;
  bool several_;
  std::shared_mutex alone_;
};

// Even so the input would be read to its end first, but nobody means to lose it.
void check_other_file(const std::filesystem::path& output, const std::filesystem::path& other,
                      const char* what) {
  std::error_code ignored;
  if (std::filesystem::equivalent(output, other, ignored))
    fail(ErrorCode::kUsage, "'{}' is the {} itself; write to another file", output.string(), what);
}

std::vector<std::string> losses(const image::SourcePicture& source, const std::filesystem::path& input,
                                image::FileFormat format) {
  std::vector<std::string> warnings;
  const auto add = [&](std::string text) {
    warnings.push_back(fmt::format("'{}': {}", input.string(), text));
  };
  if (source.bits > 8) add(fmt::format("{} bits per sample are written as 8", source.bits));
  if (source.colours != "RGB") add(fmt::format("{} is written as RGB", source.colours));
  if (source.pages > 1) add(fmt::format("of {} pages or frames only the first is written", source.pages));
  if (!source.alpha.empty() && !image::keeps_alpha(format))
    add("the alpha channel is left out: JPEG has none");
  if (format == image::FileFormat::kTiff &&
      !image::metadata_block(*source.metadata, image::MetadataBlock::kExif).empty())
    add("EXIF is left out of TIFF files");
  for (const std::string& words : image::left_out(*source.metadata, format)) add(words);
  return warnings;
}

image::EncodeOptions encode_options(const std::filesystem::path& output, int quality) {
  if (quality < 1 || quality > 100) fail(ErrorCode::kUsage, "quality {} is not 1 to 100", quality);
  image::EncodeOptions encode;
  encode.format = image::format_of(output);
  encode.quality = quality;
  return encode;
}

}  // namespace

Picture read_picture(const std::filesystem::path& file, const ReadOptions& options, const Context& context) {
  const InContext scope(context);
  return image::read_picture(file, {options.max_pixels});
}

Picture decode_picture(std::span<const std::byte> file, const ReadOptions& options, const Context& context) {
  const InContext scope(context);
  return image::decode_picture(file, {options.max_pixels});
}

bool is_picture_file(const std::filesystem::path& file) {
  return image::is_picture(file);
}

Detection detect_file(Detector& detector, const std::filesystem::path& picture, const ReadOptions& options) {
  return detector.detect(read_picture(picture, options, detector.context()).view());
}

void detect_files(Detector& detector, std::span<const std::filesystem::path> pictures, int readers,
                  const std::function<void(std::size_t index, PictureDetection found)>& each,
                  const ReadOptions& options) {
  if (readers < 1) fail(ErrorCode::kUsage, "{} readers, expected 1 or more", readers);
  auto& own = DetectorAccess::of(detector);
  const OneCall call(own.busy, "detector");
  const InContext scope(own.context);
  PictureReader reader(options, pictures.size() > 1);
  const auto resized = [&](std::size_t index) {
    const Picture picture = reader.read(pictures[index]);
    return pixels::resize_antialiased(picture.view(), own.model.height(), own.model.width());
  };
  const auto give = [&](std::size_t index, watermark::StreamedPicture found) {
    PictureDetection one;
    if (found.error) {
      const std::string_view text = found.error->what();
      const std::string name = pictures[index].string();
      one.error = text.starts_with(name) ? *found.error
                                         : Error(found.error->code(), fmt::format("'{}': {}", name, text));
    } else {
      one.detection = read_message(std::move(found.logits));
    }
    one.seconds = found.seconds;
    each(index, std::move(one));
  };
  // One thread more than readers: the one that is in the model.
  watermark::detect_stream(own.model, pictures.size(), static_cast<std::size_t>(readers) + 1, resized, give);
}

void check_output_format(const std::filesystem::path& file) {
  image::format_of(file);
}

EmbedFileReport embed_file(Embedder& embedder, const std::filesystem::path& input,
                           const std::filesystem::path& output, const std::string& message,
                           const EmbedFileOptions& options) {
  const InContext scope(embedder.context());
  watermark::from_hex(message, embedder.bits());
  image::EncodeOptions encode = encode_options(output, options.quality);
  check_other_file(output, input, "input");
  check_other_file(output, embedder.name(), "model");
  AtomicFile file(output);  // an output that cannot be written is known before the work
  image::SourcePicture source = image::read_source(input, {options.read.max_pixels});
  image::check_fits(encode.format, source.picture.height, source.picture.width);
  Picture marked{source.picture.height, source.picture.width,
                 std::vector<std::uint8_t>(source.picture.rgb.size())};
  EmbedFileReport report;
  report.embedded = embedder.embed(source.picture.view(), marked.mutable_view(), message, options.embed);
  report.warnings = losses(source, input, encode.format);
  source.picture = {};  // encoders may need the memory
  encode.alpha = source.alpha;
  encode.metadata = source.metadata.get();
  report.bytes = image::encode_picture(marked, encode, file);
  file.commit();
  return report;
}

void take_over_libvips() {
  image::take_over_vips();
}

}  // namespace sealite
