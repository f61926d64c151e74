#ifndef UNBRAID_TESTS_UNIT_GRPC_TEST_SERVICE_H_
#define UNBRAID_TESTS_UNIT_GRPC_TEST_SERVICE_H_

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "services/common/grpc/channel.h"
#include "services/common/grpc/server.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"

namespace unbraid::grpc_util {

inline ServerOptions Loopback(std::vector<grpc::Service*> services, int port = 0) {
  ServerOptions options;
  options.listen = {"127.0.0.1", port};
  options.services = std::move(services);
  return options;
}

// A service whose two calls are what a test says they are.
class TestService : public internal::v1::AssemblerService::CallbackService {
 public:
  using Writer = grpc::ServerWriteReactor<v1::WatchSeparationResponse>;

  std::function<grpc::ServerUnaryReactor*(grpc::CallbackServerContext*, v1::Separation*)> get;
  std::function<Writer*()> watch;

  grpc::ServerUnaryReactor* GetSeparation(grpc::CallbackServerContext* context,
                                          const v1::GetSeparationRequest*,
                                          v1::Separation* response) override {
    return get(context, response);
  }
  Writer* WatchSeparation(grpc::CallbackServerContext*,
                          const v1::WatchSeparationRequest*) override {
    return watch();
  }
};

// The service on a port of its own, and a client.
struct TestServer {
  TestServer() {
    auto started = Server::Start(Loopback({&service}));
    if (!started.ok()) throw std::runtime_error(started.status().ToString());
    server = *std::move(started);
    stub = internal::v1::AssemblerService::NewStub(Connect(server->address().ToString()));
  }

  TestService service;
  std::unique_ptr<Server> server;
  std::unique_ptr<internal::v1::AssemblerService::Stub> stub;
};

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_TESTS_UNIT_GRPC_TEST_SERVICE_H_
