#ifndef UNBRAID_TESTS_COMPONENT_GATEWAY_FIXTURE_H_
#define UNBRAID_TESTS_COMPONENT_GATEWAY_FIXTURE_H_

#include <map>
#include <memory>
#include <string>

#include "services/gateway/gateway_server.h"
#include "tests/component/gateway/fake_backends.h"
#include "tests/support/temp_dir.h"
#include "unbraid/v1/separation_service.grpc.pb.h"
#include "unbraid/v1/system_service.grpc.pb.h"
#include "unbraid/v1/track_service.grpc.pb.h"

namespace unbraid::gateway {

// A gateway with two models, between a client and two fakes.
class Fixture {
 public:
  Fixture();
  ~Fixture();

  // Before the calls: a gateway with this configuration. Listening addresses, backends and models
  // are filled in.
  void Start(Config config = Config());

  // The backends break all connections off and are away, until they are brought back.
  void StopSplitter() { splitter_server_ = nullptr; }
  void StopAssembler() { assembler_server_ = nullptr; }
  void BringBackAssembler();

  std::shared_ptr<grpc::Channel> Channel() const;
  std::unique_ptr<v1::TrackService::Stub> Tracks() const;
  std::unique_ptr<v1::SeparationService::Stub> Separations() const;
  std::unique_ptr<v1::SystemService::Stub> System() const;

  // Path of the HTTP server: status and body.
  std::pair<int, std::string> Get(const std::string& path) const;

  FakeSplitter splitter;
  FakeAssembler assembler;
  std::unique_ptr<GatewayServer> gateway;

 private:
  test_support::TempDir models_;
  std::unique_ptr<grpc_util::Server> splitter_server_;
  std::unique_ptr<grpc_util::Server> assembler_server_;
  int assembler_port_ = 0;
};

// A call's context with a deadline that no test should reach.
struct Patient : grpc::ClientContext {
  Patient();
};

// What a client reads out of an error: the code, and reason and facts of its google.rpc.ErrorInfo.
struct SeenError {
  grpc::StatusCode code;
  std::string message;
  std::string reason;
  std::string domain;
  std::map<std::string, std::string> facts;
};
SeenError See(const grpc::Status& status);

// An error as backends send it.
grpc::Status BackendError(absl::StatusCode code, const std::string& reason,
                          const std::string& sentence,
                          const std::map<std::string, std::string>& facts = {});

}  // namespace unbraid::gateway

#endif  // UNBRAID_TESTS_COMPONENT_GATEWAY_FIXTURE_H_
