#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <vector>

namespace sealite::image {

/// A field of a TIFF directory: its kind, and where its values lie.
struct TiffField {
  unsigned type = 0;         ///< TIFF 6.0, section 2: 1 byte, 3 16 bits, 4 32 bits …
  std::uint64_t count = 0;   ///< Of values.
  std::uint64_t offset = 0;  ///< In the file, also where they lie in the directory itself.
};

/// A TIFF file's structure, classic and BigTIFF, as the file says it: offsets may point anywhere.
class TiffFile {
 public:
  using Directory = std::map<unsigned, TiffField>;

  /// Reads the header; what is none has no first directory.
  explicit TiffFile(std::istream& file);

  /// 0 if there is none.
  std::uint64_t first_directory() const { return first_; }
  /// The fields of the directory at `offset`, at most 4,096 of them; nothing beyond the file's end. `next`
  /// gets the offset of the one behind it.
  Directory read_directory(std::uint64_t offset, std::uint64_t* next = nullptr);
  /// The first `most` whole numbers of a field; none of other types.
  std::vector<std::uint64_t> numbers(const TiffField& field, std::size_t most = 64);
  /// The first of a field, or `otherwise` if the directory has none.
  std::uint64_t number(const Directory& directory, unsigned tag, std::uint64_t otherwise);

 private:
  std::uint64_t read(std::uint64_t offset, unsigned bytes);

  std::istream& file_;
  bool big_endian_ = false;
  bool big_tiff_ = false;
  std::uint64_t first_ = 0;
};

/// What a TIFF file's samples are.
struct TiffSamples {
  unsigned bits = 8;
  bool lab = false;  ///< CIELAB of one kind or another.
};

/// Throws kUnsupported where libvips would give pixels that are not the picture's: samples that have no black
/// and white (signed, floating-point, complex), depths that it does not scale, and cameras' raw files, whose
/// first picture is a preview.
TiffSamples check_tiff(std::istream& file);

}  // namespace sealite::image
