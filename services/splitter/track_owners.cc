// What TrackStore knows of who has uploaded what.
#include "services/common/base/status.h"
#include "services/splitter/track_store.h"

namespace unbraid::splitter {

absl::Status TrackStore::BeginUpload(const std::string& key, const std::string& owner) {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement insert,
      database_->Prepare("INSERT OR IGNORE INTO unfinished (key, owner) VALUES (?, ?)"));
  return insert.Bind(absl::string_view(key)).Bind(absl::string_view(owner)).Run();
}

absl::Status TrackStore::EndUpload(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  return RemoveUnfinished(key);
}

absl::Status TrackStore::RemoveUnfinished(const std::string& key) {
  UNBRAID_ASSIGN_OR_RETURN(store::Statement remove,
                           database_->Prepare("DELETE FROM unfinished WHERE key = ?"));
  return remove.Bind(absl::string_view(key)).Run();
}

absl::Status TrackStore::FinishUpload(const std::string& key, const std::string& owner,
                                      base::TrackId id, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  return database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    UNBRAID_ASSIGN_OR_RETURN(
        store::Statement remember,
        database_->Prepare("INSERT OR REPLACE INTO uploads (key, track_id) VALUES (?, ?)"));
    UNBRAID_RETURN_IF_ERROR(remember.Bind(absl::string_view(key)).Bind(id.value()).Run());
    UNBRAID_ASSIGN_OR_RETURN(
        store::Statement hold,
        database_->Prepare(
            "INSERT OR REPLACE INTO holders (owner, track_id, bytes) VALUES (?, ?, ?)"));
    hold.Bind(absl::string_view(owner)).Bind(id.value()).Bind(bytes);
    UNBRAID_RETURN_IF_ERROR(hold.Run());
    return RemoveUnfinished(key);
  });
}

absl::StatusOr<std::map<std::string, std::string>> TrackStore::UnfinishedUploads() const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query,
                           database_->Prepare("SELECT key, owner FROM unfinished"));
  std::map<std::string, std::string> owners;
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return owners;
    owners[query.Text(0)] = query.Text(1);
  }
}

absl::StatusOr<int64_t> TrackStore::HeldBytes(const std::string& owner) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT COALESCE(SUM(bytes), 0) FROM holders WHERE owner = ?"));
  query.Bind(absl::string_view(owner));
  UNBRAID_RETURN_IF_ERROR(query.Step().status());
  return query.Int(0);
}

}  // namespace unbraid::splitter
