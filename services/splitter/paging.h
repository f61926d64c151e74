#ifndef UNBRAID_SERVICES_SPLITTER_PAGING_H_
#define UNBRAID_SERVICES_SPLITTER_PAGING_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::splitter {

// The size of a page that a request asks for: 0 means 50, otherwise 1 to 1000. INVALID_ARGUMENT
// (INVALID_PAGE_SIZE).
absl::StatusOr<int> PageSize(int32_t wanted);

// A page token stands for a position in the list (a row's sequence number); it is opaque to
// clients, so that its form may change.
std::string EncodePageToken(int64_t position);

// INVALID_ARGUMENT (INVALID_PAGE_TOKEN) for what EncodePageToken did not make.
absl::StatusOr<int64_t> DecodePageToken(absl::string_view token);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_PAGING_H_
