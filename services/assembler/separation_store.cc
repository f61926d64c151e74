#include "services/assembler/separation_store.h"

#include <google/protobuf/util/time_util.h>

#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {
namespace {

const std::vector<std::string>& Migrations() {
  static const auto* const migrations = new std::vector<std::string>{R"sql(
    CREATE TABLE separations (
      id INTEGER PRIMARY KEY,
      owner TEXT NOT NULL,
      track TEXT NOT NULL,
      created_us INTEGER NOT NULL,
      ended INTEGER NOT NULL,     -- 0: not yet, 1: succeeded, 2: failed or cancelled
      open BLOB NOT NULL,        -- unbraid.internal.v1.OpenSeparationRequest
      separation BLOB NOT NULL,  -- unbraid.v1.Separation
      model_frames INTEGER NOT NULL,
      chunks INTEGER NOT NULL,
      joined INTEGER NOT NULL
    );
    CREATE INDEX separations_by_age ON separations (owner, created_us DESC, id DESC);
    CREATE TABLE chunks (
      separation INTEGER NOT NULL REFERENCES separations (id) ON DELETE CASCADE,
      chunk INTEGER NOT NULL,
      stems_done INTEGER NOT NULL,
      tries INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      seconds REAL NOT NULL,
      worker TEXT NOT NULL,
      PRIMARY KEY (separation, chunk)
    ) WITHOUT ROWID;
  )sql",
                                                                     R"sql(
    CREATE TABLE deleted (  -- so that no attempt is ever used twice
      id INTEGER PRIMARY KEY,
      last_attempt INTEGER NOT NULL
    );
  )sql",
                                                                     R"sql(
    ALTER TABLE separations ADD COLUMN used_us INTEGER NOT NULL DEFAULT 0;
    -- When those of before were last used nobody knows: they get a whole life.
    UPDATE separations SET used_us = CAST(strftime('%s', 'now') AS INTEGER) * 1000000;
    CREATE INDEX separations_by_use ON separations (used_us) WHERE ended != 0;
  )sql",
                                                                     R"sql(
    ALTER TABLE deleted ADD COLUMN creation INTEGER NOT NULL DEFAULT 0;  -- OpenSeparationRequest.creation
  )sql"};
  return *migrations;
}

int64_t EndedCode(const Job& job) {
  if (!job.ended()) return 0;
  return job.separation.state() == v1::Separation::STATE_SUCCEEDED ? 1 : 2;
}

absl::StatusOr<std::vector<base::SeparationId>> ReadIds(store::Statement* query) {
  std::vector<base::SeparationId> ids;
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool row, query->Step());
    if (!row) return ids;
    ids.emplace_back(query->Int(0));
  }
}

absl::Status DamagedRecord(base::SeparationId id) {
  return absl::DataLossError(
      absl::StrCat("the record of ", base::SeparationName(id), " is damaged"));
}

struct Cursor {
  int64_t created_us = std::numeric_limits<int64_t>::max();
  int64_t id = std::numeric_limits<int64_t>::max();
};

absl::StatusOr<Cursor> ParseToken(const std::string& token) {
  Cursor cursor;
  if (token.empty()) return cursor;
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  if (parts.size() == 2 && absl::SimpleAtoi(parts[0], &cursor.created_us) &&
      absl::SimpleAtoi(parts[1], &cursor.id)) {
    return cursor;
  }
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_TOKEN",
                     "The page token is none of this service's; begin again without one.");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SeparationStore>> SeparationStore::Open(
    const std::string& path, absl::Duration retention, const std::string& files_folder) {
  UNBRAID_ASSIGN_OR_RETURN(auto database, store::Database::Open(path, Migrations(), files_folder));
  return std::unique_ptr<SeparationStore>(new SeparationStore(std::move(database), retention));
}

absl::Status SeparationStore::Save(const Job& job, bool forget_chunks) {
  return database_->Transaction([&]() -> absl::Status {
    UNBRAID_RETURN_IF_ERROR(WriteJob(job));
    if (!forget_chunks) return absl::OkStatus();
    UNBRAID_ASSIGN_OR_RETURN(store::Statement forget,
                             database_->Prepare("DELETE FROM chunks WHERE separation = ?"));
    return forget.Bind(job.id.value()).Run();
  });
}

absl::Status SeparationStore::SaveChunks(const Job& job, const std::set<int64_t>& chunks) {
  return database_->Transaction([&] { return WriteChunks(job, chunks); });
}

absl::Status SeparationStore::SaveWithChunks(const Job& job, const std::set<int64_t>& chunks) {
  return database_->Transaction([&]() -> absl::Status {
    UNBRAID_RETURN_IF_ERROR(WriteJob(job));
    return WriteChunks(job, chunks);
  });
}

absl::Status SeparationStore::WriteJob(const Job& job) {
  using google::protobuf::util::TimeUtil;
  UNBRAID_ASSIGN_OR_RETURN(store::Statement save, database_->Prepare(R"sql(
      INSERT INTO separations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, open = excluded.open, separation = excluded.separation,
        model_frames = excluded.model_frames, chunks = excluded.chunks, joined = excluded.joined, used_us = excluded.used_us)sql"));
  return save.Bind(job.id.value())
      .Bind(absl::string_view(job.owner))
      .Bind(absl::string_view(job.separation.track()))
      .Bind(TimeUtil::TimestampToMicroseconds(job.separation.create_time()))
      .Bind(EndedCode(job))
      .BindBlob(job.open.SerializeAsString())
      .BindBlob(job.separation.SerializeAsString())
      .Bind(job.model_frames)
      .Bind(job.chunks)
      .Bind(job.joined)
      .Bind(absl::ToUnixMicros(job.used))
      .Run();
}

absl::Status SeparationStore::WriteChunks(const Job& job, const std::set<int64_t>& chunks) {
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement save,
      database_->Prepare("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)"));
  for (const int64_t chunk : chunks) {
    const ChunkRecord& record = job.chunk_records[static_cast<size_t>(chunk)];
    UNBRAID_RETURN_IF_ERROR(save.Bind(job.id.value())
                                .Bind(chunk)
                                .Bind(int64_t{record.stems_done})
                                .Bind(int64_t{record.tries})
                                .Bind(record.bytes)
                                .Bind(record.compute_seconds)
                                .Bind(absl::string_view(record.worker))
                                .Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<Job> SeparationStore::Load(base::SeparationId id) {
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT owner, open, separation, model_frames, chunks, joined, used_us "
                         "FROM separations WHERE id = ?"));
  UNBRAID_ASSIGN_OR_RETURN(const bool found, query.Bind(id.value()).Step());
  if (!found) return UnknownSeparation(id);
  Job job;
  job.id = id;
  job.owner = query.Text(0);
  if (!job.open.ParseFromString(query.Text(1)) || !job.separation.ParseFromString(query.Text(2))) {
    return DamagedRecord(id);
  }
  job.model_frames = query.Int(3);
  job.chunks = query.Int(4);
  job.joined = query.Int(5);
  job.used = absl::FromUnixMicros(query.Int(6));
  SetExpireTime(job.used, retention_, &job.separation);
  UNBRAID_RETURN_IF_ERROR(LoadChunks(&job));
  return job;
}

absl::Status SeparationStore::LoadChunks(Job* job) {
  job->chunk_records.assign(static_cast<size_t>(job->chunks), ChunkRecord());
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT chunk, stems_done, tries, bytes, seconds, worker FROM chunks "
                         "WHERE separation = ? ORDER BY chunk"));
  query.Bind(job->id.value());
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return absl::OkStatus();
    const int64_t chunk = query.Int(0);
    if (chunk < 0 || chunk >= job->chunks) continue;
    ChunkRecord& record = job->chunk_records[static_cast<size_t>(chunk)];
    record.stems_done = static_cast<uint32_t>(query.Int(1));
    record.tries = static_cast<int>(query.Int(2));
    record.bytes = query.Int(3);
    record.compute_seconds = query.Double(4);
    record.worker = query.Text(5);
  }
}

absl::Status SeparationStore::Delete(base::SeparationId id, const Tombstone& tombstone) {
  return database_->Transaction([&]() -> absl::Status {
    UNBRAID_ASSIGN_OR_RETURN(store::Statement remove,
                             database_->Prepare("DELETE FROM separations WHERE id = ?"));
    UNBRAID_RETURN_IF_ERROR(remove.Bind(id.value()).Run());
    UNBRAID_ASSIGN_OR_RETURN(store::Statement keep,
                             database_->Prepare("INSERT OR REPLACE INTO deleted VALUES (?, ?, ?)"));
    return keep.Bind(id.value())
        .Bind(int64_t{tombstone.last_attempt})
        .Bind(tombstone.creation)
        .Run();
  });
}

absl::StatusOr<SeparationStore::Tombstone> SeparationStore::FindDeleted(base::SeparationId id) {
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT last_attempt, creation FROM deleted WHERE id = ?"));
  UNBRAID_ASSIGN_OR_RETURN(const bool found, query.Bind(id.value()).Step());
  if (!found) return Tombstone{};
  return Tombstone{static_cast<int>(query.Int(0)), query.Int(1)};
}

absl::StatusOr<std::map<base::SeparationId, int>> SeparationStore::AttemptsWithFiles() {
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT id, separation FROM separations WHERE ended != 2"));
  std::map<base::SeparationId, int> attempts;
  v1::Separation separation;
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return attempts;
    const base::SeparationId id(query.Int(0));
    if (!separation.ParseFromString(query.Text(1))) return DamagedRecord(id);
    attempts[id] = separation.attempt();
  }
}

absl::StatusOr<std::vector<base::SeparationId>> SeparationStore::ActiveIds() {
  UNBRAID_ASSIGN_OR_RETURN(
      store::Statement query,
      database_->Prepare("SELECT id FROM separations WHERE ended = 0 ORDER BY created_us, id"));
  return ReadIds(&query);
}

absl::Status SeparationStore::SetUsed(base::SeparationId id, absl::Time used) {
  UNBRAID_ASSIGN_OR_RETURN(store::Statement update,
                           database_->Prepare("UPDATE separations SET used_us = ? WHERE id = ?"));
  return update.Bind(absl::ToUnixMicros(used)).Bind(id.value()).Run();
}

absl::StatusOr<std::vector<base::SeparationId>> SeparationStore::Expired(absl::Time last_use,
                                                                         int limit) {
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query,
                           database_->Prepare("SELECT id FROM separations WHERE ended != 0 AND "
                                              "used_us <= ? ORDER BY used_us LIMIT ?"));
  query.Bind(absl::ToUnixMicros(last_use)).Bind(int64_t{limit});
  return ReadIds(&query);
}

absl::StatusOr<SeparationStore::Page> SeparationStore::List(const std::string& owner,
                                                            const std::string& track, int page_size,
                                                            const std::string& token) {
  UNBRAID_ASSIGN_OR_RETURN(const Cursor cursor, ParseToken(token));
  UNBRAID_ASSIGN_OR_RETURN(store::Statement query, database_->Prepare(R"sql(
    SELECT separation, created_us, id, used_us FROM separations
    WHERE owner = ? AND (? = '' OR track = ?) AND (created_us, id) < (?, ?)
    ORDER BY created_us DESC, id DESC LIMIT ?)sql"));
  query.Bind(absl::string_view(owner))
      .Bind(absl::string_view(track))
      .Bind(absl::string_view(track));
  query.Bind(cursor.created_us).Bind(cursor.id).Bind(int64_t{page_size} + 1);
  Page page;
  std::string last;
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return page;
    if (static_cast<int>(page.separations.size()) == page_size) {
      page.next_token = last;
      return page;
    }
    v1::Separation separation;
    if (!separation.ParseFromString(query.Text(0)))
      return absl::DataLossError("a record is damaged");
    SetExpireTime(absl::FromUnixMicros(query.Int(3)), retention_, &separation);
    page.separations.push_back(std::move(separation));
    last = absl::StrCat(query.Int(1), ".", query.Int(2));
  }
}

}  // namespace unbraid::assembler
