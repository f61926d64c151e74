#ifndef UNBRAID_SERVICES_COMMON_BASE_IDS_H_
#define UNBRAID_SERVICES_COMMON_BASE_IDS_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/base/sha256.h"

namespace unbraid::base {

// A number made of content: the first 63 bits of a SHA-256. `Kind` keeps the ids of different
// things apart.
template <typename Kind>
class ContentId {
 public:
  ContentId() = default;
  explicit ContentId(int64_t value) : value_(value) {}

  static ContentId FromDigest(const Sha256Digest& digest) {
    uint64_t head = 0;
    for (int i = 0; i < 8; ++i) head = (head << 8) | digest[static_cast<size_t>(i)];
    return ContentId(static_cast<int64_t>(head >> 1));
  }

  int64_t value() const { return value_; }
  std::string ToString() const { return std::to_string(value_); }

  friend bool operator==(ContentId a, ContentId b) { return a.value_ == b.value_; }
  friend bool operator!=(ContentId a, ContentId b) { return a.value_ != b.value_; }
  friend bool operator<(ContentId a, ContentId b) { return a.value_ < b.value_; }
  template <typename H>
  friend H AbslHashValue(H state, ContentId id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  int64_t value_ = 0;
};

using TrackId = ContentId<struct TrackKind>;
using SeparationId = ContentId<struct SeparationKind>;

// `tracks/123`
std::string TrackName(TrackId id);
// `separations/456`
std::string SeparationName(SeparationId id);
// `separations/456/stems/vocals`
std::string StemName(SeparationId id, absl::string_view stem);

// A parsed stem name.
struct StemRef {
  SeparationId separation;
  std::string stem;
};

// Parse a resource name. INVALID_ARGUMENT (INVALID_NAME), with the expected form in the sentence,
// for anything else.
absl::StatusOr<TrackId> ParseTrackName(absl::string_view name);
absl::StatusOr<SeparationId> ParseSeparationName(absl::string_view name);
absl::StatusOr<StemRef> ParseStemName(absl::string_view name);

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_IDS_H_
