#include "services/splitter/track_store.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/paging.h"

namespace unbraid::splitter {
namespace {

// `sequence` is the order of listing: it grows, and is never used again.
const std::vector<std::string>& Migrations() {
  static const auto* const migrations = new std::vector<std::string>{R"sql(
    CREATE TABLE tracks (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id INTEGER NOT NULL UNIQUE,
      record BLOB NOT NULL);
    CREATE TABLE uploads (
      key TEXT PRIMARY KEY,
      track_id INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE);
    CREATE INDEX uploads_by_track ON uploads (track_id);
  )sql",
                                                                     R"sql(
    ALTER TABLE tracks ADD COLUMN used_us INTEGER NOT NULL DEFAULT 0;
    -- When those of before were last used nobody knows: they get a whole life. Nobody holds them.
    UPDATE tracks SET used_us = CAST(strftime('%s', 'now') AS INTEGER) * 1000000;
    CREATE INDEX tracks_by_use ON tracks (used_us);
    CREATE TABLE holders (
      owner TEXT NOT NULL,
      track_id INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
      bytes INTEGER NOT NULL,
      PRIMARY KEY (owner, track_id)) WITHOUT ROWID;
    CREATE INDEX holders_by_track ON holders (track_id);
    CREATE TABLE unfinished (
      key TEXT PRIMARY KEY,
      owner TEXT NOT NULL) WITHOUT ROWID;
  )sql"};
  return *migrations;
}

// A use is not written down so soon after another, or within a hundredth of a track's life.
constexpr absl::Duration kBetweenUses = absl::Hours(1);
constexpr int kUsesPerLife = 100;

absl::Status UnknownTrack(base::TrackId id) {
  return base::Error(absl::StatusCode::kNotFound, "UNKNOWN_TRACK",
                     absl::StrCat("There is no track ", base::TrackName(id), "; upload it first."));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrackStore>> TrackStore::Open(const std::string& folder,
                                                             const Options& options) {
  const std::string files = absl::StrCat(folder, "/tracks");
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(folder));
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(files));
  const std::string path = absl::StrCat(folder, "/tracks.db");
  UNBRAID_ASSIGN_OR_RETURN(auto database, store::Database::Open(path, Migrations(), files));
  std::unique_ptr<TrackStore> tracks(new TrackStore(files, std::move(database), options));
  absl::MutexLock lock(&tracks->mutex_);
  UNBRAID_RETURN_IF_ERROR(store::RefuseDamaged(tracks->RemoveOrphans(), path));
  UNBRAID_RETURN_IF_ERROR(tracks->TakeRecorded(absl::StrCat(folder, "/uploads")));
  return tracks;
}

TrackStore::TrackStore(std::string folder, std::unique_ptr<store::Database> database,
                       const Options& options)
    : folder_(std::move(folder)), options_(options), database_(std::move(database)) {}

absl::StatusOr<v1::Track> TrackStore::Parse(const std::string& record, absl::Time used) const {
  v1::Track track;
  if (!track.ParseFromString(record)) return absl::DataLossError("a track's record is damaged");
  track.clear_expire_time();
  if (options_.retention == absl::InfiniteDuration()) return track;
  *track.mutable_expire_time() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
      absl::ToUnixMicros(used + options_.retention));
  return track;
}

std::string TrackStore::PathOf(base::TrackId id) const {
  return absl::StrCat(folder_, "/", id.ToString());
}

bool TrackStore::HasFile(base::TrackId id) const { return store::FileSize(PathOf(id)).ok(); }

absl::StatusOr<v1::Track> TrackStore::Adopt(const Finished& upload, const v1::Track& track) {
  UNBRAID_ASSIGN_OR_RETURN(const base::TrackId id, base::ParseTrackName(track.name()));
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(std::optional<v1::Track> known, RowOf(id, track.sha256()));
  const bool has_file = known && HasFile(id);
  absl::Status recorded = Record(upload, id, known ? nullptr : &track);
  if (has_file && base::ReasonOf(recorded) == "DISK_FULL") {
    // Its bytes are there twice; without one of them there may be room for the record.
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(upload.part_path));
    recorded = Record(upload, id, nullptr);
    if (!recorded.ok()) telemetry::Warning("an upload is not remembered", {{"error", recorded}});
    return *std::move(known);
  }
  UNBRAID_RETURN_IF_ERROR(recorded);
  if (has_file) {
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(upload.part_path));
  } else {
    // Should the process end here, the next start does this.
    const absl::Status moved = store::RenameDurably(upload.part_path, PathOf(id));
    if (!moved.ok()) {
      UNBRAID_RETURN_IF_ERROR(Unrecord(upload, known ? std::nullopt : std::make_optional(id)));
      return moved;
    }
  }
  UNBRAID_ASSIGN_OR_RETURN(known, Row(id));
  return *std::move(known);
}

absl::Status TrackStore::Insert(base::TrackId id, const v1::Track& track) {
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement insert,
      database_->Prepare("INSERT INTO tracks (id, record, used_us) VALUES (?, ?, ?)"));
  insert.Bind(id.value()).BindBlob(track.SerializeAsString());
  return insert.Bind(absl::ToUnixMicros(options_.clock())).Run();
}

absl::StatusOr<std::optional<v1::Track>> TrackStore::FindContent(base::TrackId id,
                                                                 const std::string& sha256) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(std::optional<v1::Track> known, RowOf(id, sha256));
  if (known && !HasFile(id)) known.reset();
  return known;
}

absl::StatusOr<v1::Track> TrackStore::Find(base::TrackId id) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(std::optional<v1::Track> track, Row(id));
  if (!track) return UnknownTrack(id);
  return *std::move(track);
}

absl::StatusOr<std::optional<v1::Track>> TrackStore::Row(base::TrackId id) const {
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query,
                           database_->Prepare("SELECT record, used_us FROM tracks WHERE id = ?"));
  query.Bind(id.value());
  UNBRAID_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return std::optional<v1::Track>();
  UNBRAID_ASSIGN_OR_RETURN(v1::Track track,
                           Parse(query.Text(0), absl::FromUnixMicros(query.Int(1))));
  return std::optional<v1::Track>(std::move(track));
}

absl::StatusOr<std::optional<v1::Track>> TrackStore::RowOf(base::TrackId id,
                                                           const std::string& sha256) const {
  UNBRAID_ASSIGN_OR_RETURN(std::optional<v1::Track> track, Row(id));
  if (track && track->sha256() != sha256) {
    return base::Error(absl::StatusCode::kFailedPrecondition, "ID_COLLISION",
                       absl::StrCat("Another file already has the id ", base::TrackName(id),
                                    "; delete that track before uploading this one."));
  }
  return track;
}

absl::StatusOr<v1::ListTracksResponse> TrackStore::List(
    const v1::ListTracksRequest& request) const {
  UNBRAID_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  int64_t before = INT64_MAX;
  if (!request.page_token().empty()) {
    UNBRAID_ASSIGN_OR_RETURN(before, DecodePageToken(request.page_token()));
  }
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT sequence, record, used_us FROM tracks WHERE sequence < ? "
                         "ORDER BY sequence DESC LIMIT ?"));
  query.Bind(before).Bind(int64_t{page_size} + 1);  // one more tells whether there is a next page
  v1::ListTracksResponse response;
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return response;
    if (response.tracks_size() == page_size) {
      response.set_next_page_token(EncodePageToken(before));
      return response;
    }
    before = query.Int(0);
    UNBRAID_ASSIGN_OR_RETURN(*response.add_tracks(),
                             Parse(query.Text(1), absl::FromUnixMicros(query.Int(2))));
  }
}

absl::Status TrackStore::Delete(base::TrackId id) {
  absl::MutexLock lock(&mutex_);
  return Remove(id);
}

absl::Status TrackStore::Remove(base::TrackId id) {
  const auto remove_row = [&]() -> absl::Status {
    mutex_.AssertHeld();
    UNBRAID_ASSIGN_OR_RETURN(store::Statement remove,
                             database_->Prepare("DELETE FROM tracks WHERE id = ?"));
    return remove.Bind(id.value()).Run();
  };
  absl::Status removed = remove_row();
  if (base::ReasonOf(removed) == "DISK_FULL") {
    // Its file goes anyway, and makes room for the record of that.
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(PathOf(id)));
    removed = remove_row();
  }
  UNBRAID_RETURN_IF_ERROR(removed);
  if (database_->changes() == 0) return UnknownTrack(id);
  return store::RemoveAll(PathOf(id));
}

absl::Status TrackStore::Use(base::TrackId id) {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(const std::optional<v1::Track> track, Row(id));
  return track ? NoteUse(id) : UnknownTrack(id);
}

absl::Status TrackStore::NoteUse(base::TrackId id) {
  const absl::Time now = options_.clock();
  const absl::Time before = now - std::min(kBetweenUses, options_.retention / kUsesPerLife);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement update,
      database_->Prepare("UPDATE tracks SET used_us = ? WHERE id = ? AND used_us <= ?"));
  update.Bind(absl::ToUnixMicros(now)).Bind(id.value()).Bind(absl::ToUnixMicros(before));
  return update.Run();
}

absl::StatusOr<std::vector<base::TrackId>> TrackStore::Expired(int limit) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT id FROM tracks WHERE used_us <= ? ORDER BY used_us LIMIT ?"));
  query.Bind(absl::ToUnixMicros(options_.clock() - options_.retention)).Bind(int64_t{limit});
  std::vector<base::TrackId> ids;
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return ids;
    ids.emplace_back(query.Int(0));
  }
}

absl::StatusOr<bool> TrackStore::DeleteExpired(base::TrackId id) {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT 1 FROM tracks WHERE id = ? AND used_us <= ?"));
  query.Bind(id.value()).Bind(absl::ToUnixMicros(options_.clock() - options_.retention));
  UNBRAID_ASSIGN_OR_RETURN(const bool expired, query.Step());
  query.Reset();  // no read may stay open over the write
  if (expired) UNBRAID_RETURN_IF_ERROR(Remove(id));
  return expired;
}

absl::Status TrackStore::RemoveOrphans() {
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> names, store::ListFolder(folder_));
  for (const std::string& name : names) {
    int64_t number = 0;
    if (absl::SimpleAtoi(name, &number)) {
      UNBRAID_ASSIGN_OR_RETURN(const std::optional<v1::Track> row, Row(base::TrackId(number)));
      if (row) continue;
    }
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(absl::StrCat(folder_, "/", name)));
  }
  return absl::OkStatus();
}

}  // namespace unbraid::splitter
