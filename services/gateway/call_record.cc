#include "services/gateway/call_record.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/grpc/status_convert.h"
#include "services/common/telemetry/log.h"

namespace unbraid::gateway {
namespace {

// "456" and "separation" for separations/456/stems/vocals.
std::pair<std::string, std::string> Subject(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, absl::MaxSplits('/', 2));
  const std::string id = parts.size() > 1 ? parts[1] : "";
  if (absl::StartsWith(name, "separations/")) return {"separation", id};
  if (absl::StartsWith(name, "tracks/")) return {"track", id};
  return {"subject", name};
}

}  // namespace

CallRecord::CallRecord(std::string method, telemetry::Metrics* metrics)
    : method_(std::move(method)), metrics_(metrics), begin_(base::SteadyNow()) {}

void CallRecord::Count(prometheus::Counter** counter, const char* direction, size_t bytes) {
  if (*counter == nullptr) {
    *counter = &metrics_->Counter("unbraid_gateway_bytes_total",
                                  "Bytes of streamed messages by method and direction",
                                  {{"method", method_}, {"direction", direction}});
  }
  (*counter)->Increment(static_cast<double>(bytes));
}

void CallRecord::Finish(const grpc::Status& status) {
  const double seconds = absl::ToDoubleSeconds(base::SteadyNow() - begin_);
  const absl::Status outcome = grpc_util::FromGrpc(status);
  const std::string code = absl::StatusCodeToString(outcome.code());
  metrics_
      ->Counter("unbraid_gateway_calls_total", "Calls by method and code",
                {{"method", method_}, {"code", code}})
      .Increment();
  metrics_
      ->Histogram("unbraid_gateway_call_seconds", "Duration of calls by method",
                  {0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600}, {{"method", method_}})
      .Observe(seconds);
  const auto [key, value] = Subject(subject_);
  telemetry::Info("call", {{"method", method_},
                           {key, value},
                           {"code", code},
                           {"reason", base::ReasonOf(outcome)},
                           {"error", std::string(outcome.message())},
                           {"seconds", seconds}});
}

}  // namespace unbraid::gateway
