#ifndef UNBRAID_SERVICES_GATEWAY_UNARY_FORWARDER_H_
#define UNBRAID_SERVICES_GATEWAY_UNARY_FORWARDER_H_

#include <grpcpp/support/server_callback.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/grpc/channel.h"
#include "services/gateway/backends.h"
#include "services/gateway/call_record.h"

namespace unbraid::gateway {

// Passes one unary call on to a backend and its answer back. No thread waits. When the client goes
// away, so does the call to the backend. Deletes itself.
class UnaryForwarder : public grpc::ServerUnaryReactor {
 public:
  // `call` begins the backend's call on the context and reports to the function that it is given.
  using Begin = std::function<void(grpc::ClientContext*, std::function<void(grpc::Status)>)>;
  // The resource that the answer is about, where only the answer tells.
  using Subject = std::function<std::string()>;

  UnaryForwarder(grpc::CallbackServerContext* server, CallRecord record, const char* service,
                 absl::Duration deadline, const Begin& begin, const Subject& subject = nullptr)
      : record_(std::move(record)) {
    const absl::Duration left = absl::FromChrono(server->deadline()) - absl::Now();
    grpc_util::PrepareCall(&context_, std::min(deadline, left), grpc_util::kDefaultOwner);
    begin(&context_, [this, service, subject](grpc::Status status) {
      status = FromBackend(status, service, client_gone_);
      if (status.ok() && subject) record_.SetSubject(subject());
      record_.Finish(status);
      Finish(std::move(status));
    });
  }

 private:
  void OnCancel() override {
    client_gone_ = true;
    context_.TryCancel();
  }
  void OnDone() override { delete this; }

  CallRecord record_;
  grpc::ClientContext context_;
  std::atomic<bool> client_gone_{false};
};

// Forward(..., stub->async(), &Stub::async::Method, request, response). `subject` is the resource
// that the call is about.
template <typename Async, typename Request, typename Response>
grpc::ServerUnaryReactor* Forward(grpc::CallbackServerContext* server, const char* name,
                                  const std::string& subject, telemetry::Metrics* metrics,
                                  const char* service, absl::Duration deadline, Async* stub,
                                  void (Async::*method)(grpc::ClientContext*, const Request*,
                                                        Response*,
                                                        std::function<void(grpc::Status)>),
                                  const Request* request, Response* response) {
  CallRecord record(name, metrics);
  record.SetSubject(subject);
  return new UnaryForwarder(
      server, std::move(record), service, deadline,
      [=](grpc::ClientContext* context, std::function<void(grpc::Status)> done) {
        (stub->*method)(context, request, response, std::move(done));
      });
}

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_UNARY_FORWARDER_H_
