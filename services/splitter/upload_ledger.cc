#include "services/splitter/upload_ledger.h"

namespace unbraid::splitter {

void UploadLedger::Begin(const std::string& key, const std::string& owner, int64_t bytes,
                         int64_t total) {
  absl::MutexLock lock(&mutex_);
  entries_[key] = {owner, bytes, total};
}

void UploadLedger::Grow(const std::string& key, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end()) found->second.bytes = bytes;
}

void UploadLedger::EndStream(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end()) found->second.total = 0;
}

void UploadLedger::Remove(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  entries_.erase(key);
}

int64_t UploadLedger::StillNeeded() const {
  absl::MutexLock lock(&mutex_);
  int64_t bytes = 0;
  for (const auto& [key, entry] : entries_) bytes += entry.still_needed();
  return bytes;
}

int64_t UploadLedger::OwnedBy(const std::string& owner) const {
  absl::MutexLock lock(&mutex_);
  int64_t bytes = 0;
  for (const auto& [key, entry] : entries_) {
    if (entry.owner == owner) bytes += entry.bytes + entry.still_needed();
  }
  return bytes;
}

}  // namespace unbraid::splitter
