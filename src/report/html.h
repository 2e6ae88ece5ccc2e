#pragma once

#include <string>
#include <string_view>

namespace sealite::report {

/// `text` for HTML and SVG, in text and in quoted attributes: markup becomes harmless, and what is
/// not `shown` (base/utf8.h) becomes '?', but for new lines.
std::string escaped(std::string_view text);

/// A number as people read it: three digits, "1.2e-07" where it is tiny, "∞" where it has no bound.
std::string number(double value);

/// The page's style sheet: light and dark, phone and paper.
std::string_view style_sheet();

}  // namespace sealite::report
