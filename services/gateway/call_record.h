#ifndef UNBRAID_SERVICES_GATEWAY_CALL_RECORD_H_
#define UNBRAID_SERVICES_GATEWAY_CALL_RECORD_H_

#include <grpcpp/support/status.h>

#include <cstddef>
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
  void SetSubject(const std::string& name) { subject_ = name.substr(0, kMaxSubject); }

  // Counts the bytes of a message from the client, or to it.
  void CountUp(size_t bytes) { Count(&up_, "up", bytes); }
  void CountDown(size_t bytes) { Count(&down_, "down", bytes); }

  // Writes the line and counts the call. Once.
  void Finish(const grpc::Status& status);

 private:
  static constexpr size_t kMaxSubject = 200;  // bytes; a client may send megabytes for a name

  void Count(prometheus::Counter** counter, const char* direction, size_t bytes);

  const std::string method_;
  telemetry::Metrics* const metrics_;
  const absl::Time begin_;
  std::string subject_;
  prometheus::Counter* up_ = nullptr;    // made at the first message
  prometheus::Counter* down_ = nullptr;  // likewise
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_CALL_RECORD_H_
