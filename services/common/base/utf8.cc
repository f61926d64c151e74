#include "services/common/base/utf8.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace unbraid::base {
namespace {

std::string FromLatin1(absl::string_view text) {
  std::string utf8;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xC0 | (byte >> 6));
      utf8 += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return utf8;
}

// U+0080 to U+009F, which terminals obey.
bool IsC1Control(absl::string_view piece) {
  return piece.size() == 2 && piece[0] == '\xC2' && static_cast<unsigned char>(piece[1]) < 0xA0;
}

}  // namespace

size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool too_large = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string Printable(absl::string_view text, size_t max_bytes) {
  std::string printable;
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text.substr(at));
    const absl::string_view piece = text.substr(at, std::max<size_t>(length, 1));
    if (at + piece.size() > max_bytes) return printable + "...";
    at += piece.size();
    const bool whole = length > 1 && !IsC1Control(piece);
    absl::StrAppend(&printable, whole ? std::string(piece) : absl::CHexEscape(piece));
  }
  return printable;
}

std::string ToLabel(absl::string_view text, size_t max_bytes) {
  std::string label = IsUtf8(text) ? std::string(text) : FromLatin1(text);
  for (char& c : label) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  absl::StripAsciiWhitespace(&label);
  size_t end = 0;
  while (end < label.size()) {
    const size_t length = Utf8Length(absl::string_view(label).substr(end));
    if (end + length > max_bytes) break;
    end += length;
  }
  label.resize(end);
  return label;
}

}  // namespace unbraid::base
