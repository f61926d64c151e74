#include "services/splitter/job_store.h"

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/splitter/spools.h"

namespace unbraid::splitter {
namespace {

const std::vector<std::string>& Migrations() {
  static const auto* const migrations = new std::vector<std::string>{R"sql(
    CREATE TABLE jobs (
      id INTEGER PRIMARY KEY,
      owner TEXT NOT NULL,
      track TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      model_frames INTEGER NOT NULL,
      mean REAL NOT NULL,
      scale REAL NOT NULL,
      record BLOB NOT NULL);
    CREATE INDEX jobs_by_track ON jobs (track);
  )sql",
                                                                     R"sql(
    ALTER TABLE jobs ADD COLUMN spool_bytes INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX jobs_unprepared ON jobs (spool_bytes) WHERE model_frames = 0;
  )sql"};
  return *migrations;
}

constexpr char kColumns[] =
    "SELECT id, owner, attempt, model_frames, mean, scale, record FROM jobs";

absl::StatusOr<Job> ReadJob(const store::Statement& row) {
  Job job;
  job.id = base::SeparationId(row.Int(0));
  job.owner = row.Text(1);
  job.attempt = static_cast<int32_t>(row.Int(2));
  job.prepared = {row.Int(3), row.Double(4), row.Double(5)};
  if (!job.open.ParseFromString(row.Text(6))) {
    return absl::DataLossError(
        absl::StrCat("the record of job ", job.id.ToString(), " is damaged"));
  }
  return job;
}

}  // namespace

absl::StatusOr<std::unique_ptr<JobStore>> JobStore::Open(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/jobs.db");
  UNBRAID_ASSIGN_OR_RETURN(auto database, store::Database::Open(path, Migrations()));
  std::unique_ptr<JobStore> jobs(new JobStore(std::move(database)));
  UNBRAID_RETURN_IF_ERROR(store::RefuseDamaged(jobs->All().status(), path));
  return jobs;
}

absl::Status JobStore::Save(const Job& job) {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(store::Statement insert, database_->Prepare(R"sql(
        INSERT INTO jobs (id, owner, track, attempt, model_frames, mean, scale, record, spool_bytes)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, track = excluded.track, attempt = excluded.attempt,
          record = excluded.record, spool_bytes = excluded.spool_bytes,
          model_frames = iif(attempt = excluded.attempt, model_frames, 0),
          mean = iif(attempt = excluded.attempt, mean, 0), scale = iif(attempt = excluded.attempt, scale, 0))sql"));
  insert.Bind(job.id.value())
      .Bind(absl::string_view(job.owner))
      .Bind(absl::string_view(job.open.track().name()))
      .Bind(int64_t{job.attempt})
      .Bind(job.prepared.model_frames)
      .Bind(job.prepared.mean)
      .Bind(job.prepared.scale)
      .BindBlob(job.open.SerializeAsString())
      .Bind(SpoolBytes(job.open));
  return insert.Run();
}

absl::Status JobStore::SavePrepared(base::SeparationId id, int32_t attempt,
                                    const Prepared& prepared) {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement update,
      database_->Prepare("UPDATE jobs SET model_frames = ?, mean = ?, scale = ? "
                         "WHERE id = ? AND attempt = ?"));
  update.Bind(prepared.model_frames).Bind(prepared.mean).Bind(prepared.scale);
  return update.Bind(id.value()).Bind(int64_t{attempt}).Run();
}

absl::Status JobStore::Remove(base::SeparationId id, int32_t attempt) {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(store::Statement remove,
                           database_->Prepare("DELETE FROM jobs WHERE id = ? AND attempt <= ?"));
  return remove.Bind(id.value()).Bind(int64_t{attempt}).Run();
}

absl::StatusOr<std::optional<Job>> JobStore::Find(base::SeparationId id) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query,
                           database_->Prepare(absl::StrCat(kColumns, " WHERE id = ?")));
  query.Bind(id.value());
  UNBRAID_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return std::optional<Job>();
  UNBRAID_ASSIGN_OR_RETURN(Job job, ReadJob(query));
  return std::optional<Job>(std::move(job));
}

absl::StatusOr<std::vector<Job>> JobStore::All() const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query, database_->Prepare(kColumns));
  std::vector<Job> jobs;
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return jobs;
    UNBRAID_ASSIGN_OR_RETURN(Job job, ReadJob(query));
    jobs.push_back(std::move(job));
  }
}

absl::StatusOr<int64_t> JobStore::UnpreparedBytes() const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT COALESCE(SUM(spool_bytes), 0) FROM jobs WHERE model_frames = 0"));
  UNBRAID_RETURN_IF_ERROR(query.Step().status());
  return query.Int(0);
}

absl::StatusOr<bool> JobStore::UsesTrack(const std::string& track_name) const {
  absl::MutexLock lock(&mutex_);
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query,
                           database_->Prepare("SELECT 1 FROM jobs WHERE track = ? LIMIT 1"));
  query.Bind(absl::string_view(track_name));
  return query.Step();
}

}  // namespace unbraid::splitter
