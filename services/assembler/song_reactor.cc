#include "services/assembler/song_reactor.h"

#include <utility>

#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"

namespace unbraid::assembler {

SongReactor::SongReactor(Engine* engine, base::Executor* engine_executor,
                         base::Executor* disk_executor)
    : engine_(engine), engine_executor_(engine_executor), disk_executor_(disk_executor) {
  StartRead(&request_);
}

void SongReactor::Run(base::Executor* executor, void (SongReactor::*step)()) {
  if (executor->Post([this, step] { (this->*step)(); })) return;
  End(absl::UnavailableError("the assembler is shutting down"));
}

void SongReactor::OnReadDone(bool ok) {
  bool begun = false;
  {
    absl::MutexLock lock(&mutex_);
    begun = intake_ != nullptr;
  }
  if (ok && begun) return Run(disk_executor_, &SongReactor::WritePart);
  if (ok) return Run(engine_executor_, &SongReactor::Begin);
  // Half-closed, or broken; in the latter case the song is too short, and nobody reads the answer.
  if (begun) return Run(disk_executor_, &SongReactor::Complete);
  End(InvalidSong("The stream ended before its first message."));
}

// On the engine's thread.
void SongReactor::Begin() {
  const base::SeparationId id(request_.separation_id());
  absl::StatusOr<std::unique_ptr<SongIntake>> intake = engine_->BeginSong(id, request_.attempt());
  // Nothing to be taken: it is here already, from an earlier stream.
  if (!intake.ok() || *intake == nullptr) return End(intake.status());
  {
    absl::MutexLock lock(&mutex_);
    id_ = id;
    attempt_ = request_.attempt();
    intake_ = *std::move(intake);
  }
  Run(disk_executor_, &SongReactor::WritePart);
}

void SongReactor::WritePart() {
  absl::Status written;
  {
    absl::MutexLock lock(&mutex_);
    written = intake_->Write(request_);
  }
  if (!written.ok()) return End(written);
  StartRead(&request_);
}

void SongReactor::Complete() {
  absl::Status complete;
  {
    absl::MutexLock lock(&mutex_);
    complete = intake_->Finish();
  }
  if (!complete.ok()) return End(complete);
  Run(engine_executor_, &SongReactor::Take);
}

// On the engine's thread.
void SongReactor::Take() {
  absl::Status taken;
  {
    absl::MutexLock lock(&mutex_);
    taken = engine_->TakeSong(id_, attempt_, intake_->path());
  }
  End(taken);
}

void SongReactor::End(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    intake_ = nullptr;  // removes an unfinished file before the client can learn of the end
  }
  Finish(grpc_util::ToGrpc(status));
}

}  // namespace unbraid::assembler
