#ifndef UNBRAID_SERVICES_COMMON_BASE_UTF8_H_
#define UNBRAID_SERVICES_COMMON_BASE_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace unbraid::base {

// Length of the well-formed UTF-8 sequence that `text`, which is not empty, begins with; 0 where
// there is none.
size_t Utf8Length(absl::string_view text);

// Whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(absl::string_view text);

// `text` as one line of UTF-8 of at most `max_bytes`: what is not UTF-8 is taken for Latin-1, the
// old custom of taggers; control characters become spaces; white space at both ends goes; what is
// too long is cut between characters.
std::string ToLabel(absl::string_view text, size_t max_bytes);

// `text` as it may stand in a sentence, in a log or on a terminal: control characters and what is
// not UTF-8 are escaped as in C, and what is longer than `max_bytes` is cut between characters and
// ends with "...".
std::string Printable(absl::string_view text, size_t max_bytes = absl::string_view::npos);

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_UTF8_H_
