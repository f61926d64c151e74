#ifndef UNBRAID_SERVICES_ASSEMBLER_SONG_REACTOR_H_
#define UNBRAID_SERVICES_ASSEMBLER_SONG_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/assembler/engine.h"
#include "services/assembler/song_intake.h"
#include "unbraid/internal/v1/assembler_service.pb.h"

namespace unbraid::assembler {

// One PutSong call. The engine's thread begins it and takes what is complete; parts are written by
// the disk executor, and the next one is read only when the one before is on the disk. One step at
// a time: a read, then the work on it. Deletes itself. Streams of the same separation write files
// of their own, and the last one to be complete counts.
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
  internal::v1::PutSongRequest request_;  // of the step, which is a read or the work on it

  // Nobody ever waits for it: it hands over what one step leaves to the next one's thread.
  absl::Mutex mutex_;
  base::SeparationId id_ ABSL_GUARDED_BY(mutex_);
  int attempt_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<SongIntake> intake_ ABSL_GUARDED_BY(mutex_);  // once it has begun
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_SONG_REACTOR_H_
