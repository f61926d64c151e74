#ifndef UNBRAID_SERVICES_GATEWAY_CALL_RECORD_H_
#define UNBRAID_SERVICES_GATEWAY_CALL_RECORD_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/time/time.h"
#include "services/common/telemetry/metrics.h"

namespace unbraid::gateway {

// One call, for the log and the metrics. Used by one thread at a time.
class CallRecord {
 public:
  // `metrics` must outlive it.
  CallRecord(std::string method, telemetry::Metrics* metrics);

  // The separation or track that the call is about, as a resource name; may be told late or never.
  void SetSubject(const std::string& name) { subject_ = name; }

  // Writes the line and counts. Once.
  void Finish(const grpc::Status& status);

 private:
  const std::string method_;
  telemetry::Metrics* const metrics_;
  const absl::Time begin_;
  std::string subject_;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_CALL_RECORD_H_
