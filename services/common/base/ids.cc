#include "services/common/base/ids.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/base/status.h"
#include "services/common/base/utf8.h"

namespace unbraid::base {
namespace {

constexpr char kTracks[] = "tracks/";
constexpr char kSeparations[] = "separations/";
constexpr char kStems[] = "/stems/";
constexpr size_t kMaxDigits = 19;  // of 2^63 - 1
constexpr size_t kMaxShown = 80;   // bytes of a name that is none

absl::Status InvalidName(absl::string_view name, absl::string_view form) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_NAME",
               absl::StrCat("\"", Printable(name, kMaxShown),
                            "\" is not a resource name of the form ", form, "."));
}

// Only the canonical spelling counts, so that one thing has one name.
bool ParseNumber(absl::string_view text, int64_t* value) {
  return !text.empty() && text.size() <= kMaxDigits && absl::SimpleAtoi(text, value) &&
         absl::StrCat(*value) == text && *value >= 0;
}

}  // namespace

std::string TrackName(TrackId id) { return absl::StrCat(kTracks, id.value()); }

std::string SeparationName(SeparationId id) { return absl::StrCat(kSeparations, id.value()); }

std::string StemName(SeparationId id, absl::string_view stem) {
  return absl::StrCat(kSeparations, id.value(), kStems, stem);
}

absl::StatusOr<TrackId> ParseTrackName(absl::string_view name) {
  int64_t value = 0;
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, kTracks) || !ParseNumber(rest, &value)) {
    return InvalidName(name, "tracks/NUMBER");
  }
  return TrackId(value);
}

absl::StatusOr<SeparationId> ParseSeparationName(absl::string_view name) {
  int64_t value = 0;
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, kSeparations) || !ParseNumber(rest, &value)) {
    return InvalidName(name, "separations/NUMBER");
  }
  return SeparationId(value);
}

absl::StatusOr<StemRef> ParseStemName(absl::string_view name) {
  constexpr char kForm[] = "separations/NUMBER/stems/STEM";
  const size_t split = name.find(kStems);
  if (split == absl::string_view::npos) return InvalidName(name, kForm);
  const absl::string_view stem = name.substr(split + sizeof(kStems) - 1);
  auto separation = ParseSeparationName(name.substr(0, split));
  if (!separation.ok() || stem.empty() || absl::StrContains(stem, "/")) {
    return InvalidName(name, kForm);
  }
  return StemRef{*separation, std::string(stem)};
}

}  // namespace unbraid::base
