#include "services/common/store/disk_watch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/store/files.h"

namespace unbraid::store {
namespace {

constexpr int kMebibyteShift = 20;

}  // namespace

DiskWatch::DiskWatch(std::string folder, int64_t min_free_bytes)
    : folder_(std::move(folder)), min_free_bytes_(min_free_bytes) {
  Look();
}

absl::Status DiskWatch::Measure() const {
  const absl::StatusOr<int64_t> free = FreeBytes(folder_);
  if (!free.ok())
    return absl::UnavailableError(absl::StrCat("the disk cannot be looked at: ",
                                               absl::StatusCodeToString(free.status().code())));
  if (*free >= min_free_bytes_) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "the disk is nearly full: ", *free >> kMebibyteShift, " MiB are free, and ",
      min_free_bytes_ >> kMebibyteShift, " MiB must stay so; delete what is needed no more"));
}

void DiskWatch::Look() {
  absl::Status state = Measure();
  absl::MutexLock lock(&mutex_);
  state_ = std::move(state);
}

absl::Status DiskWatch::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

}  // namespace unbraid::store
