#ifndef UNBRAID_SERVICES_ASSEMBLER_WATCH_REACTOR_H_
#define UNBRAID_SERVICES_ASSEMBLER_WATCH_REACTOR_H_

#include <string>

#include "services/assembler/engine.h"
#include "services/common/grpc/stream_writer.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::assembler {

// One WatchSeparation call: a snapshot, then the newest state whenever it has changed, until the
// separation has ended. A slow client sees fewer states, never old ones. Deletes itself.
class WatchReactor : public grpc_util::StreamWriter<v1::WatchSeparationResponse>,
                     private WatchHub::Watcher {
 public:
  WatchReactor(std::string owner, const std::string& name, Engine* engine, base::Executor* executor,
               WatchHub* hub);

 private:
  ~WatchReactor() override;
  void Begin(Engine* engine);
  void OnNews(SeparationSnapshot news) override;
  void OnBeat() override;

  const std::string owner_;
  WatchHub* const hub_;
  base::SeparationId id_;

  absl::Mutex mutex_;
  SeparationSnapshot last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_WATCH_REACTOR_H_
