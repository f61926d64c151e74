#include "services/splitter/room.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

constexpr int kMebibyteShift = 20;

absl::Status Lacks(int64_t missing, absl::string_view what) {
  return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                     absl::StrCat("The splitter's disk lacks ", (missing >> kMebibyteShift) + 1,
                                  " MiB for ", what, ". Delete old tracks, or try again later."),
                     {{"missing_bytes", absl::StrCat(missing)}});
}

}  // namespace

Room::Room(std::string folder, int64_t min_free_bytes, FreeBytes free_bytes)
    : folder_(std::move(folder)),
      min_free_bytes_(min_free_bytes),
      free_bytes_(std::move(free_bytes)) {}

void Room::Count(Promised promised) {
  absl::MutexLock lock(&mutex_);
  promised_.push_back(std::move(promised));
}

absl::Status Room::Admit(int64_t bytes, absl::string_view what,
                         const std::function<absl::Status()>& accept) {
  absl::MutexLock lock(&mutex_);
  int64_t promised = 0;
  for (const Promised& part : promised_) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t still_needed, part());
    promised += still_needed;
  }
  UNBRAID_RETURN_IF_ERROR(Check(bytes, promised, what));
  return accept();
}

absl::Status Room::CheckFree(int64_t bytes, absl::string_view what) const {
  return Check(bytes, 0, what);
}

absl::Status Room::Check(int64_t bytes, int64_t promised, absl::string_view what) const {
  UNBRAID_ASSIGN_OR_RETURN(const int64_t free, free_bytes_(folder_));
  // As floats, which cannot overflow; clients name sizes as they like.
  const double wanted = static_cast<double>(bytes) + static_cast<double>(promised) +
                        static_cast<double>(min_free_bytes_);
  if (wanted <= static_cast<double>(free)) return absl::OkStatus();
  constexpr double kMost = 9e18;
  return Lacks(static_cast<int64_t>(std::min(wanted - static_cast<double>(free), kMost)), what);
}

absl::Status Room::Full(absl::string_view what) { return Lacks(1, what); }

}  // namespace unbraid::splitter
