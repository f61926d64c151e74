#ifndef UNBRAID_SERVICES_SPLITTER_TRACK_STORE_H_
#define UNBRAID_SERVICES_SPLITTER_TRACK_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/base/ids.h"
#include "services/common/store/database.h"
#include "unbraid/v1/track.pb.h"
#include "unbraid/v1/track_service.pb.h"

namespace unbraid::splitter {

// Owns the folder `tracks` (uploaded bytes, one file a track, named by id) and `tracks.db` (what is
// known about them). A track exists if and only if its row does: a file without a row is what a
// crash left behind, and is removed at the next start. Thread-safe; every method may wait for the
// disk.
class TrackStore {
 public:
  struct Options {
    // How long a track stays after its last use.
    absl::Duration retention = absl::InfiniteDuration();
    std::function<absl::Time()> clock = absl::Now;
  };

  // Opens or creates both in `folder`. DATA_LOSS when the database is damaged, or lost while there
  // are files.
  static absl::StatusOr<std::unique_ptr<TrackStore>> Open(const std::string& folder,
                                                          const Options& options);
  static absl::StatusOr<std::unique_ptr<TrackStore>> Open(const std::string& folder) {
    return Open(folder, Options());
  }

  // An upload whose file is whole.
  struct Finished {
    std::string key;
    std::string owner;
    std::string part_path;  // in the folder `uploads`, under the key
    int64_t bytes = 0;
  };

  // Makes the file of an upload the bytes of `track`, durably, and remembers what became of the
  // upload, so that a client whose connection broke at the very end can learn it, and that its
  // owner holds the track from now on; both are forgotten with the track. All of it happens, or
  // nothing, also when the process is killed meanwhile. When the track exists already, the file is
  // removed and the existing one returned; that is a use of it. FAILED_PRECONDITION (ID_COLLISION)
  // when another content has this id.
  absl::StatusOr<v1::Track> Adopt(const Finished& upload, const v1::Track& track);

  // The track with this content, if it and its file are there. FAILED_PRECONDITION (ID_COLLISION).
  absl::StatusOr<std::optional<v1::Track>> FindContent(base::TrackId id,
                                                       const std::string& sha256) const;

  // NOT_FOUND (UNKNOWN_TRACK).
  absl::StatusOr<v1::Track> Find(base::TrackId id) const;

  // Newest first. INVALID_ARGUMENT (INVALID_PAGE_SIZE, INVALID_PAGE_TOKEN).
  absl::StatusOr<v1::ListTracksResponse> List(const v1::ListTracksRequest& request) const;

  // NOT_FOUND (UNKNOWN_TRACK). The caller has made sure that nobody reads the track.
  absl::Status Delete(base::TrackId id);

  // Notes a use of a track, which puts its expiry off. NOT_FOUND (UNKNOWN_TRACK).
  absl::Status Use(base::TrackId id);
  // At most so many tracks that were not used for `retention`, the oldest first.
  absl::StatusOr<std::vector<base::TrackId>> Expired(int limit) const;
  // Deletes a track if it has still expired, as Delete does; tells whether it had.
  absl::StatusOr<bool> DeleteExpired(base::TrackId id);
  absl::Duration retention() const { return options_.retention; }

  std::string PathOf(base::TrackId id) const;

  // Remembers whose an upload is, until it ends one way or the other; what it once became is
  // forgotten.
  absl::Status BeginUpload(const std::string& key, const std::string& owner);
  absl::Status EndUpload(const std::string& key);
  // Owners of unfinished uploads, by key.
  absl::StatusOr<std::map<std::string, std::string>> UnfinishedUploads() const;

  // Bytes of the tracks that an owner has uploaded. One that several have uploaded counts for each.
  absl::StatusOr<int64_t> HeldBytes(const std::string& owner) const;
  // The track that an upload became, if it did, and the track has its file.
  absl::StatusOr<std::optional<v1::Track>> FindUpload(const std::string& key) const;

 private:
  TrackStore(std::string folder, std::unique_ptr<store::Database> database, const Options& options);

  absl::Status RemoveOrphans() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status TakeRecorded(const std::string& uploads) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Record(const Finished& upload, base::TrackId id, const v1::Track* fresh)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Unrecord(const Finished& upload, std::optional<base::TrackId> fresh)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AddUnfinished(const std::string& key, const std::string& owner)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ForgetFinished(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasFile(base::TrackId id) const;
  absl::StatusOr<std::optional<base::TrackId>> TrackOf(const std::string& key) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<v1::Track>> Row(base::TrackId id) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<v1::Track>> RowOf(base::TrackId id, const std::string& sha256) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Insert(base::TrackId id, const v1::Track& track)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<v1::Track> Parse(const std::string& record, absl::Time used) const;
  // Notes a use if the last one is old enough.
  absl::Status NoteUse(base::TrackId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Remove(base::TrackId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RemoveUnfinished(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string folder_;  // of the track files
  const Options options_;

  // Also held while a track's file is renamed or removed, so that row and file go together.
  mutable absl::Mutex mutex_;
  const std::unique_ptr<store::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_TRACK_STORE_H_
