#include "image/heif_items.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "image/boxes.h"

namespace sealite::image {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

/// A box of a file in memory, with its head.
struct WholeBox {
  std::string_view kind;
  std::string_view bytes;

  /// Behind the head of 8 bytes, or 12 where version and flags follow.
  std::string_view contents(std::size_t head = 8) const { return bytes.substr(std::min(head, bytes.size())); }
};

struct HeifItem {
  std::uint64_t id = 0;
  std::string entry;  ///< Its infe box.
  std::string data;
  bool is_metadata = false;
};

struct HeifFile {
  std::uint64_t primary = 0;
  std::vector<HeifItem> items;
  std::vector<std::string> references;  ///< Boxes of iref, but for those of metadata.
};

std::string heif_box(std::string_view kind, std::string_view contents) {
  std::string box = to_big_endian(contents.size() + 8, 4);
  return box.append(kind).append(contents);
}

/// Nothing if they do not fill `bytes` to its end.
std::optional<std::vector<WholeBox>> split_boxes(std::string_view bytes) {
  std::vector<WholeBox> boxes;
  while (!bytes.empty()) {
    if (bytes.size() < 8) return std::nullopt;
    const std::uint64_t size = read_big_endian(bytes.substr(0, 4));
    if (size < 8 || size > bytes.size()) return std::nullopt;
    boxes.push_back({bytes.substr(4, 4), bytes.substr(0, static_cast<std::size_t>(size))});
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return boxes;
}

std::string_view find_contents(const std::vector<WholeBox>& boxes, std::string_view kind) {
  const auto found = std::ranges::find(boxes, kind, &WholeBox::kind);
  return found == boxes.end() ? std::string_view{} : found->contents(12);
}

/// The next numbers of a box; 0 behind its end, which `ok` remembers.
struct NumberReader {
  std::string_view rest;
  bool ok = true;

  std::uint64_t take(std::size_t bytes) {
    if (rest.size() < bytes) {
      ok = false;
      return 0;
    }
    const std::uint64_t value = read_big_endian(rest.substr(0, bytes));
    rest.remove_prefix(bytes);
    return value;
  }
};

/// Version 2 of the entries, with numbers of 16 bits.
bool read_entries(std::string_view list, HeifFile& file) {
  if (list.size() < 2) return false;
  const auto entries = split_boxes(list.substr(2));
  if (!entries) return false;
  for (const WholeBox& entry : *entries) {
    const std::string_view fields = entry.contents();
    if (entry.kind != "infe" || fields.size() < 12 || fields[0] != 2) return false;
    const std::string_view type = fields.substr(8, 4);
    file.items.push_back({read_big_endian(fields.substr(4, 2)),
                          std::string(entry.bytes),
                          {},
                          type == "Exif" || type == "mime"});
  }
  return true;
}

/// Versions 0 and 1 of the places, in the file itself.
bool read_places(const WholeBox& box, std::string_view encoded, HeifFile& file) {
  const unsigned version = box.bytes.size() > 8 ? static_cast<unsigned char>(box.bytes[8]) : 2;
  if (version > 1) return false;
  NumberReader reader{box.contents(12)};
  const std::uint64_t sizes = reader.take(2);
  const std::uint64_t count = reader.take(2);
  for (std::uint64_t i = 0; i < count && reader.ok; ++i) {
    const auto item = std::ranges::find(file.items, reader.take(2), &HeifItem::id);
    if (item == file.items.end() || (version == 1 && reader.take(2) != 0) || reader.take(2) != 0)
      return false;
    const std::uint64_t base = reader.take(sizes >> 4U & 15U);
    const std::uint64_t extents = reader.take(2);
    for (std::uint64_t k = 0; k < extents && reader.ok; ++k) {
      if (version == 1) reader.take(sizes & 15U);
      const std::uint64_t offset = base + reader.take(sizes >> 12U & 15U);
      const std::uint64_t length = reader.take(sizes >> 8U & 15U);
      if (offset > encoded.size() || length > encoded.size() - offset) return false;
      item->data += encoded.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    }
  }
  return reader.ok;
}

/// Each is of one item to others; of metadata they go.
bool read_references(std::string_view list, HeifFile& file) {
  const auto references = split_boxes(list);
  if (!references) return false;
  for (const WholeBox& reference : *references) {
    const auto from =
        std::ranges::find(file.items, read_big_endian(reference.contents().substr(0, 2)), &HeifItem::id);
    if (from == file.items.end()) return false;
    if (!from->is_metadata) file.references.emplace_back(reference.bytes);
  }
  return true;
}

void add_item(HeifFile& file, std::string_view type, std::string data) {
  std::uint64_t id = 0;
  for (const HeifItem& item : file.items) id = std::max(id, item.id);
  const std::string number = to_big_endian(++id, 2);
  // Version 2, hidden as metadata is; its number, protection, type and name.
  const std::string entry = heif_box("infe", "\2\0\0\1"s.append(number).append("\0\0"sv).append(type));
  file.items.push_back({id, entry, std::move(data), true});
  // It describes the picture.
  file.references.push_back(
      heif_box("cdsc", std::string(number).append("\0\1"sv).append(to_big_endian(file.primary, 2))));
}

/// Version 0: one place of 4 + 4 bytes for each item, whose data follow one another from `begin`.
std::string places_of(const HeifFile& file, std::uint64_t begin) {
  std::string contents = "\0\0\0\0\x44\0"s + to_big_endian(file.items.size(), 2);
  for (const HeifItem& item : file.items) {
    contents += to_big_endian(item.id, 2) + "\0\0\0\1"s + to_big_endian(begin, 4) +
                to_big_endian(item.data.size(), 4);
    begin += item.data.size();
  }
  return heif_box("iloc", contents);
}

std::string meta_of(const std::vector<WholeBox>& old, const HeifFile& file, std::uint64_t data_begin) {
  std::string contents(4, '\0');
  std::string entries = "\0\0\0\0"s + to_big_endian(file.items.size(), 2);
  for (const HeifItem& item : file.items) entries += item.entry;
  std::string references(4, '\0');
  for (const std::string& reference : file.references) references += reference;
  for (const WholeBox& box : old) {
    if (box.kind == "iloc") {
      contents += places_of(file, data_begin);
    } else if (box.kind == "iinf") {
      contents += heif_box("iinf", entries);
      if (!file.references.empty()) contents += heif_box("iref", references);
    } else if (box.kind != "iref") {
      contents += box.bytes;
    }
  }
  return heif_box("meta", contents);
}

std::optional<HeifFile> read_heif(const std::string& encoded, const std::vector<WholeBox>& meta) {
  HeifFile file;
  file.primary = read_big_endian(find_contents(meta, "pitm").substr(0, 2));
  const auto places = std::ranges::find(meta, "iloc"sv, &WholeBox::kind);
  const bool read = places != meta.end() && read_entries(find_contents(meta, "iinf"), file) &&
                    read_places(*places, encoded, file) && read_references(find_contents(meta, "iref"), file);
  if (!read) return std::nullopt;
  std::erase_if(file.items, [](const HeifItem& item) { return item.is_metadata; });
  return file;
}

}  // namespace

std::optional<std::string> heif_with(const std::string& encoded, const std::string& exif,
                                     const std::string& xmp) {
  const auto boxes = split_boxes(encoded);
  if (!boxes || boxes->size() != 3 || (*boxes)[1].kind != "meta" || (*boxes)[2].kind != "mdat")
    return std::nullopt;
  const auto meta = split_boxes((*boxes)[1].contents(12));
  if (!meta) return std::nullopt;
  auto file = read_heif(encoded, *meta);
  if (!file) return std::nullopt;
  // The TIFF inside begins 6 bytes behind this number.
  if (!exif.empty()) add_item(*file, "Exif\0"sv, "\0\0\0\6Exif\0\0"s + exif);
  if (!xmp.empty()) add_item(*file, "mime\0application/rdf+xml\0"sv, xmp);
  const std::string_view start = (*boxes)[0].bytes;
  const std::size_t head = start.size() + meta_of(*meta, *file, 0).size();
  std::string data;
  for (const HeifItem& item : file->items) data += item.data;
  if (head + 8 + data.size() > 0xFFFFFFFFU) return std::nullopt;
  return std::string(start) + meta_of(*meta, *file, head + 8) + heif_box("mdat", data);
}

}  // namespace sealite::image
