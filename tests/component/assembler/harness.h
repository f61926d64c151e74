#ifndef UNBRAID_TESTS_COMPONENT_ASSEMBLER_HARNESS_H_
#define UNBRAID_TESTS_COMPONENT_ASSEMBLER_HARNESS_H_

#include <functional>
#include <memory>
#include <string>

#include "services/assembler/assembler_service.h"
#include "services/common/grpc/channel.h"
#include "services/common/grpc/server.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {

// The assembler's gRPC service on a free port, without a broker: results are handed to the engine.
class Harness {
 public:
  using Stub = internal::v1::AssemblerService::Stub;

  // `adjust` changes the engine's options; `most_readers`: downloads and followers at a time.
  explicit Harness(const std::function<void(Engine::Options*)>& adjust = nullptr,
                   int most_readers = 1000);
  ~Harness();

  // Ends the service: when it returns, nothing of any call goes on. May be called twice.
  void Drain();

  Stub* stub() { return stub_.get(); }
  // A unary call.
  template <typename Method, typename Request, typename Response>
  absl::Status Call(Method method, const Request& request, Response* response,
                    const std::string& owner = kOwner) {
    return grpc_util::Call(stub_.get(), method, request, response, owner);
  }
  absl::Status Open(const Song& song, internal::v1::OpenSeparationResponse* response);
  absl::StatusOr<v1::Separation> Cancel(const Song& song);

  test_support::TempDir folder;
  Bench bench;

 private:
  base::Executor disk_{"disk", 2};
  std::unique_ptr<AssemblerServiceImpl> service_;
  std::unique_ptr<grpc_util::Server> server_;
  std::unique_ptr<Stub> stub_;
};

// A context for a stream of at most three times kPatience.
std::unique_ptr<grpc::ClientContext> StreamContext(const std::string& owner = kOwner);

}  // namespace unbraid::assembler

#endif  // UNBRAID_TESTS_COMPONENT_ASSEMBLER_HARNESS_H_
