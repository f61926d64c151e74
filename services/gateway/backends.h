#ifndef UNBRAID_SERVICES_GATEWAY_BACKENDS_H_
#define UNBRAID_SERVICES_GATEWAY_BACKENDS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/common/grpc/channel.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"
#include "unbraid/internal/v1/splitter_service.grpc.pb.h"

namespace unbraid::gateway {

using Splitter = internal::v1::SplitterService::Stub;
using Assembler = internal::v1::AssemblerService::Stub;

// The services behind the gateway. Thread-safe.
class Backends {
 public:
  Backends(const std::string& splitter_address, const std::string& assembler_address);

  Splitter* splitter() const { return splitter_.get(); }
  Assembler* assembler() const { return assembler_.get(); }

  // Asks both whether they can work; waits `deadline` for each at most. OK, or what is amiss.
  absl::Status Check(absl::Duration deadline) const;

 private:
  const std::unique_ptr<Splitter> splitter_;
  const std::unique_ptr<Assembler> assembler_;
};

// Names of the services, for people.
inline constexpr char kSplitter[] = "splitter";
inline constexpr char kAssembler[] = "assembler";

// The status of a backend's answer as the client sees it. The backend's own errors go through
// unchanged. What gRPC made of a backend that is away, or that broke the call off as it shut down,
// becomes UNAVAILABLE (BACKEND_UNAVAILABLE), and of one that was too slow DEADLINE_EXCEEDED, with a
// sentence that names `service`; the cause, which may name addresses, is only logged. When the
// client is gone nobody reads the answer, and `status` stays as it is.
grpc::Status FromBackend(const grpc::Status& status, const char* service, bool client_gone);

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_BACKENDS_H_
