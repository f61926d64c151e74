#ifndef UNBRAID_SERVICES_ASSEMBLER_SONG_REACTOR_H_
#define UNBRAID_SERVICES_ASSEMBLER_SONG_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "services/assembler/engine.h"
#include "services/assembler/song_intake.h"
#include "unbraid/internal/v1/assembler_service.pb.h"

namespace unbraid::assembler {

// One PutSong call. The engine's thread begins it and takes what is complete; parts are written by
// the disk executor, and the next one is read only when the one before is on the disk. One step at
// a time, so nothing here is guarded: a read, then the work on it. Deletes itself. Streams of the
// same separation write files of their own, and the last one to be complete counts.
class SongReactor : public grpc::ServerReadReactor<internal::v1::PutSongRequest> {
 public:
  SongReactor(Engine* engine, base::Executor* engine_executor, base::Executor* disk_executor);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  ~SongReactor() override = default;

  // Hands the next step to an executor, or ends the call when that is shutting down.
  void Run(base::Executor* executor, void (SongReactor::*step)());
  void Begin();
  void WritePart();
  void Complete();
  void Take();
  void End(const absl::Status& status);

  Engine* const engine_;
  base::Executor* const engine_executor_;
  base::Executor* const disk_executor_;
  internal::v1::PutSongRequest request_;
  bool begun_ = false;
  base::SeparationId id_;
  int attempt_ = 0;
  std::unique_ptr<SongIntake> intake_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_SONG_REACTOR_H_
