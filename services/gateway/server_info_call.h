#ifndef UNBRAID_SERVICES_GATEWAY_SERVER_INFO_CALL_H_
#define UNBRAID_SERVICES_GATEWAY_SERVER_INFO_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>

#include "services/common/model/catalogue.h"
#include "services/gateway/backends.h"
#include "services/gateway/call_record.h"
#include "services/gateway/config.h"
#include "unbraid/v1/system_service.pb.h"

namespace unbraid::gateway {

// One GetServerInfo: asks both backends at the same time and answers when both have, or when their
// time is up; a backend that is away is told in the answer, never an error. No thread waits.
// Deletes itself.
class ServerInfoCall : public grpc::ServerUnaryReactor {
 public:
  // `info` is gRPC's.
  ServerInfoCall(CallRecord record, const Backends& backends, const model::Catalogue& catalogue,
                 const Config& config, v1::ServerInfo* info);

 private:
  void OnCancel() override;
  void OnDone() override { delete this; }
  void OnAnswer();
  void Fill();

  CallRecord record_;
  const int64_t max_upload_bytes_;
  v1::ServerInfo* const info_;

  grpc::ClientContext splitter_context_;
  grpc::ClientContext assembler_context_;
  internal::v1::GetSplitterStatusRequest splitter_request_;
  const internal::v1::GetAssemblerStatusRequest assembler_request_;
  internal::v1::GetSplitterStatusResponse splitter_;
  internal::v1::GetAssemblerStatusResponse assembler_;
  grpc::Status splitter_status_;
  grpc::Status assembler_status_;
  std::atomic<int> waiting_{2};
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_SERVER_INFO_CALL_H_
