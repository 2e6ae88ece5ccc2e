#include "image/long_xmp.h"

#include <algorithm>
#include <cstddef>
#include <map>

#include "image/boxes.h"

namespace sealite::image {
namespace {

/// A tag from '<' to '>', by where it lies; both are npos if there is none.
struct Tag {
  std::size_t begin = std::string_view::npos;
  std::size_t end = std::string_view::npos;

  explicit operator bool() const { return end != std::string_view::npos; }
  std::string_view text(std::string_view xmp) const { return xmp.substr(begin, end - begin); }
};

Tag find_tag(std::string_view xmp, std::string_view start) {
  Tag tag;
  tag.begin = xmp.find(start);
  if (tag.begin == std::string_view::npos) return {};
  const std::size_t close = xmp.find('>', tag.begin);
  if (close == std::string_view::npos) return {};
  tag.end = close + 1;
  return tag;
}

/// The namespaces that a tag declares: xmlns:dc="…", by their prefixes; the values have their quotes.
std::map<std::string_view, std::string_view> declarations(std::string_view tag) {
  constexpr std::string_view kDeclares = "xmlns:";
  std::map<std::string_view, std::string_view> found;
  for (std::size_t at = tag.find(kDeclares); at != std::string_view::npos; at = tag.find(kDeclares, at + 1)) {
    const std::size_t equals = tag.find('=', at);
    const std::size_t open = std::min(tag.find_first_of("\"'", at), tag.size());
    if (equals == std::string_view::npos || open != equals + 1) continue;
    const std::size_t close = tag.find(tag[open], open + 1);
    if (close == std::string_view::npos) continue;
    const std::size_t name = at + kDeclares.size();
    found.emplace(tag.substr(name, equals - name), tag.substr(open, close + 1 - open));
  }
  return found;
}

/// The parts with this name, in their order; nothing if one is missing.
std::optional<std::string> join_parts(std::string_view name, const std::vector<std::string>& parts) {
  constexpr std::size_t kNumbers = 8;
  const std::size_t head = kLongXmpStart.size() + name.size();
  std::map<std::uint64_t, std::string_view> places;
  std::uint64_t size = 0;
  for (const std::string_view part : parts) {
    if (part.size() < head + kNumbers || part.substr(kLongXmpStart.size(), name.size()) != name) continue;
    size = read_big_endian(part.substr(head, 4));
    places.emplace(read_big_endian(part.substr(head + 4, 4)), part.substr(head + kNumbers));
  }
  std::string text;
  for (const auto& [place, part] : places) {
    if (place != text.size()) return std::nullopt;
    text += part;
  }
  if (text.empty() || text.size() != size) return std::nullopt;
  return text;
}

/// Of xmpNote:HasExtendedXMP="…": where it begins, where it ends, and its value.
struct Reference {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view value;
};

std::optional<Reference> find_reference(std::string_view brief) {
  constexpr std::string_view kName = "xmpNote:HasExtendedXMP=";
  constexpr std::size_t kDigits = 32;
  const std::size_t at = brief.find(kName);
  if (at == std::string_view::npos || brief.size() - at < kName.size() + kDigits + 2) return std::nullopt;
  const std::size_t value = at + kName.size() + 1;
  if (brief[value - 1] != brief[value + kDigits]) return std::nullopt;
  return Reference{at, value + kDigits + 1, brief.substr(value, kDigits)};
}

}  // namespace

std::optional<std::string> join_xmp(std::string_view brief, const std::vector<std::string>& parts) {
  const auto reference = find_reference(brief);
  if (!reference) return std::nullopt;
  const auto more = join_parts(reference->value, parts);
  if (!more) return std::nullopt;
  const Tag list = find_tag(*more, "<rdf:RDF");
  const std::size_t list_end = more->rfind("</rdf:RDF>");
  const Tag target = find_tag(brief, "<rdf:RDF");
  const std::size_t target_end = brief.rfind("</rdf:RDF>");
  if (!list || !target || list_end == std::string::npos || list_end < list.end) return std::nullopt;
  if (target_end == std::string_view::npos || target_end < reference->end || target.end > reference->begin)
    return std::nullopt;
  auto declared = declarations(find_tag(brief, "<x:xmpmeta").text(brief));
  declared.merge(declarations(target.text(brief)));
  auto wanted = declarations(find_tag(*more, "<x:xmpmeta").text(*more));
  wanted.merge(declarations(list.text(*more)));
  std::string added;
  for (const auto& [prefix, place] : wanted) {
    const auto known = declared.find(prefix);
    if (known != declared.end() &&
        known->second.substr(1, known->second.size() - 2) != place.substr(1, place.size() - 2))
      return std::nullopt;
    if (known == declared.end()) added.append(" xmlns:").append(prefix).append("=").append(place);
  }
  std::string whole(brief.substr(0, target.end - 1));
  whole += added;
  whole += brief.substr(target.end - 1, reference->begin - (target.end - 1));
  whole += brief.substr(reference->end, target_end - reference->end);
  whole.append(*more, list.end, list_end - list.end);
  whole += brief.substr(target_end);
  return whole;
}

}  // namespace sealite::image
