#include "services/splitter/track_store.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
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
  )sql"};
  return *migrations;
}

absl::StatusOr<v1::Track> Parse(const std::string& record) {
  v1::Track track;
  if (!track.ParseFromString(record)) return absl::DataLossError("a track's record is damaged");
  return track;
}

absl::Status UnknownTrack(base::TrackId id) {
  return base::Error(absl::StatusCode::kNotFound, "UNKNOWN_TRACK",
                     absl::StrCat("There is no track ", base::TrackName(id), "; upload it first."));
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrackStore>> TrackStore::Open(const std::string& folder) {
  const std::string files = absl::StrCat(folder, "/tracks");
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(folder));
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(files));
  const std::string path = absl::StrCat(folder, "/tracks.db");
  UNBRAID_ASSIGN_OR_RETURN(auto database, store::Database::Open(path, Migrations()));
  UNBRAID_RETURN_IF_ERROR(database->CheckNotLost(files));
  std::unique_ptr<TrackStore> tracks(new TrackStore(files, std::move(database)));
  absl::MutexLock lock(&tracks->mutex_);
  UNBRAID_RETURN_IF_ERROR(store::RefuseDamaged(tracks->RemoveOrphans(), path));
  return tracks;
}

TrackStore::TrackStore(std::string folder, std::unique_ptr<store::Database> database)
    : folder_(std::move(folder)), database_(std::move(database)) {}

std::string TrackStore::PathOf(base::TrackId id) const {
  return absl::StrCat(folder_, "/", id.ToString());
}

absl::StatusOr<v1::Track> TrackStore::Adopt(const std::string& part_path, const v1::Track& track) {
  UNBRAID_ASSIGN_OR_RETURN(const base::TrackId id, base::ParseTrackName(track.name()));
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(std::optional<v1::Track> known, RowOf(id, track.sha256()));
  if (known && Exists(PathOf(id))) {
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(part_path));
    return *std::move(known);
  }
  UNBRAID_RETURN_IF_ERROR(store::RenameDurably(part_path, PathOf(id)));
  if (known) return *std::move(known);  // its file had been lost
  UNBRAID_RETURN_IF_ERROR(Insert(id, track));
  return track;
}

absl::Status TrackStore::Insert(base::TrackId id, const v1::Track& track) {
  UNBRAID_ASSIGN_OR_RETURN(store::Statement insert,
                           database_->Prepare("INSERT INTO tracks (id, record) VALUES (?, ?)"));
  insert.Bind(id.value()).BindBlob(track.SerializeAsString());
  return insert.Run();
}

absl::StatusOr<std::optional<v1::Track>> TrackStore::FindContent(base::TrackId id,
                                                                 const std::string& sha256) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(std::optional<v1::Track> known, RowOf(id, sha256));
  if (known && !Exists(PathOf(id))) known.reset();
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
                           database_->Prepare("SELECT record FROM tracks WHERE id = ?"));
  query.Bind(id.value());
  UNBRAID_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return std::optional<v1::Track>();
  UNBRAID_ASSIGN_OR_RETURN(v1::Track track, Parse(query.Text(0)));
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
      database_->Prepare("SELECT sequence, record FROM tracks WHERE sequence < ? "
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
    UNBRAID_ASSIGN_OR_RETURN(*response.add_tracks(), Parse(query.Text(1)));
  }
}

absl::Status TrackStore::Delete(base::TrackId id) {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(store::Statement remove,
                           database_->Prepare("DELETE FROM tracks WHERE id = ?"));
  remove.Bind(id.value());
  UNBRAID_RETURN_IF_ERROR(remove.Run());
  if (database_->changes() == 0) return UnknownTrack(id);
  return store::RemoveAll(PathOf(id));
}

absl::Status TrackStore::RememberUpload(const std::string& key, base::TrackId id) {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement insert,
      database_->Prepare("INSERT OR REPLACE INTO uploads (key, track_id) VALUES (?, ?)"));
  return insert.Bind(absl::string_view(key)).Bind(id.value()).Run();
}

absl::StatusOr<std::optional<v1::Track>> TrackStore::FindUpload(const std::string& key) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query,
                           database_->Prepare("SELECT track_id FROM uploads WHERE key = ?"));
  query.Bind(absl::string_view(key));
  UNBRAID_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return std::optional<v1::Track>();
  return Row(base::TrackId(query.Int(0)));
}

absl::Status TrackStore::RemoveOrphans() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    int64_t number = 0;
    const bool is_id = absl::SimpleAtoi(entry.path().filename().string(), &number);
    if (is_id) {
      UNBRAID_ASSIGN_OR_RETURN(const std::optional<v1::Track> row, Row(base::TrackId(number)));
      if (row) continue;
    }
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(entry.path().string()));
  }
  return error ? absl::InternalError(absl::StrCat("cannot list ", folder_, ": ", error.message()))
               : absl::OkStatus();
}

}  // namespace unbraid::splitter
