// What TrackStore knows of who has uploaded what.
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/splitter/track_store.h"

namespace unbraid::splitter {

absl::Status TrackStore::BeginUpload(const std::string& key, const std::string& owner) {
  absl::MutexLock lock(&mutex_);
  return database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    // What a track with a lost file once was is begun anew: what comes now is not that.
    UNBRAID_RETURN_IF_ERROR(ForgetFinished(key));
    return AddUnfinished(key, owner);
  });
}

absl::Status TrackStore::ForgetFinished(const std::string& key) {
  UNBRAID_ASSIGN_OR_RETURN(store::Statement forget,
                           database_->Prepare("DELETE FROM uploads WHERE key = ?"));
  return forget.Bind(absl::string_view(key)).Run();
}

absl::Status TrackStore::AddUnfinished(const std::string& key, const std::string& owner) {
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

absl::Status TrackStore::Record(const Finished& upload, base::TrackId id, const v1::Track* fresh) {
  return database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    UNBRAID_RETURN_IF_ERROR(fresh != nullptr ? Insert(id, *fresh) : NoteUse(id));
    UNBRAID_ASSIGN_OR_RETURN(
        store::Statement remember,
        database_->Prepare("INSERT OR REPLACE INTO uploads (key, track_id) VALUES (?, ?)"));
    UNBRAID_RETURN_IF_ERROR(remember.Bind(absl::string_view(upload.key)).Bind(id.value()).Run());
    UNBRAID_ASSIGN_OR_RETURN(
        store::Statement hold,
        database_->Prepare(
            "INSERT OR REPLACE INTO holders (owner, track_id, bytes) VALUES (?, ?, ?)"));
    hold.Bind(absl::string_view(upload.owner)).Bind(id.value()).Bind(upload.bytes);
    UNBRAID_RETURN_IF_ERROR(hold.Run());
    return RemoveUnfinished(upload.key);
  });
}

// What could not be moved is no track; while it is among the uploads it can be finished again.
absl::Status TrackStore::Unrecord(const Finished& upload, std::optional<base::TrackId> fresh) {
  return database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    UNBRAID_RETURN_IF_ERROR(ForgetFinished(upload.key));
    UNBRAID_ASSIGN_OR_RETURN(store::Statement remove,
                             database_->Prepare("DELETE FROM tracks WHERE id = ?"));
    if (fresh) UNBRAID_RETURN_IF_ERROR(remove.Bind(fresh->value()).Run());
    return AddUnfinished(upload.key, upload.owner);
  });
}

absl::StatusOr<std::optional<base::TrackId>> TrackStore::TrackOf(const std::string& key) const {
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query,
                           database_->Prepare("SELECT track_id FROM uploads WHERE key = ?"));
  query.Bind(absl::string_view(key));
  UNBRAID_ASSIGN_OR_RETURN(const bool found, query.Step());
  return found ? std::make_optional(base::TrackId(query.Int(0))) : std::nullopt;
}

absl::StatusOr<std::optional<v1::Track>> TrackStore::FindUpload(const std::string& key) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(const std::optional<base::TrackId> id, TrackOf(key));
  // Without its file it is as if nothing had been brought: the track can be made again.
  if (!id || !HasFile(*id)) return std::optional<v1::Track>();
  return Row(*id);
}

// Uploads that are recorded as tracks, and whose files a process that was killed could not move.
absl::Status TrackStore::TakeRecorded(const std::string& uploads) {
  const absl::StatusOr<std::vector<std::string>> keys = store::ListFolder(uploads);
  if (absl::IsNotFound(keys.status())) return absl::OkStatus();  // there was no upload yet
  UNBRAID_RETURN_IF_ERROR(keys.status());
  for (const std::string& key : *keys) {
    UNBRAID_ASSIGN_OR_RETURN(const std::optional<base::TrackId> id, TrackOf(key));
    if (!id) continue;
    const std::string part = absl::StrCat(uploads, "/", key);
    UNBRAID_RETURN_IF_ERROR(HasFile(*id) ? store::RemoveAll(part)
                                         : store::RenameDurably(part, PathOf(*id)));
  }
  return absl::OkStatus();
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
