#ifndef UNBRAID_SERVICES_GATEWAY_WATCH_CALL_H_
#define UNBRAID_SERVICES_GATEWAY_WATCH_CALL_H_

#include <optional>
#include <string>

#include "services/common/grpc/stream_writer.h"
#include "services/gateway/backends.h"
#include "services/gateway/call_record.h"
#include "services/gateway/stream_lives.h"
#include "services/gateway/watch_share.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::gateway {

// One WatchSeparation call. It asks the assembler how the separation stands, which also says
// whether it may be watched, and then takes part in the shared stream of its news. Versions never
// go back: what the shared stream brings may be older than the answer. The newest state wins when
// the client is slow. Deletes itself.
class WatchCall : public grpc_util::StreamWriter<v1::WatchSeparationResponse>,
                  private WatchShare::Watcher,
                  private StreamLives::Stream {
 public:
  // Nothing is owned.
  struct Parts {
    Assembler* assembler;
    WatchShare* share;
    StreamLives* lives;
    absl::Duration deadline;  // of the question
  };

  WatchCall(CallRecord record, std::string name, const Parts& parts);

 private:
  ~WatchCall() override;

  void OnAnswer(const grpc::Status& status);
  void Tell(const v1::WatchSeparationResponse& news);

  void OnNews(const WatchShare::News& news) override { Tell(*news); }
  void OnEnd(const grpc::Status& status) override;
  void End(const grpc::Status& status) override;

  const std::string owner_;
  const std::string name_;
  const Parts parts_;
  CallRecord record_;

  grpc::ClientContext context_;
  v1::GetSeparationRequest request_;
  v1::Separation answer_;

  absl::Mutex mutex_;
  int64_t version_ ABSL_GUARDED_BY(mutex_) = 0;  // of what was told last
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_WATCH_CALL_H_
