#ifndef UNBRAID_SERVICES_SPLITTER_ASSEMBLER_CLIENT_H_
#define UNBRAID_SERVICES_SPLITTER_ASSEMBLER_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/grpc/cancellation.h"
#include "services/splitter/song_sender.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"

namespace unbraid::splitter {

// What the splitter asks of the assembler; see assembler_service.proto for errors. All calls are
// idempotent, block (with a deadline), and are thread-safe.
class AssemblerClient {
 public:
  virtual ~AssemblerClient() = default;
  virtual absl::StatusOr<internal::v1::OpenSeparationResponse> Open(
      const std::string& owner, const internal::v1::OpenSeparationRequest& request) = 0;
  // Of a separation, by its name.
  virtual absl::StatusOr<v1::Separation> Get(const std::string& owner, const std::string& name) = 0;
  virtual absl::Status Plan(const std::string& owner,
                            const internal::v1::PlanSeparationRequest& request) = 0;
  // `cancellation` ends it at any time.
  virtual absl::Status PutSong(const std::string& owner, const SongFile& song,
                               grpc_util::Cancellation* cancellation) = 0;
  virtual absl::Status Fail(const std::string& owner,
                            const internal::v1::FailSeparationRequest& request) = 0;
  virtual absl::Status ReportWaiting(const std::string& owner,
                                     const internal::v1::ReportWaitingRequest& request) = 0;
};

// The real one.
class GrpcAssemblerClient : public AssemblerClient {
 public:
  explicit GrpcAssemblerClient(const std::shared_ptr<grpc::Channel>& channel);

  absl::StatusOr<internal::v1::OpenSeparationResponse> Open(
      const std::string& owner, const internal::v1::OpenSeparationRequest& request) override;
  absl::StatusOr<v1::Separation> Get(const std::string& owner, const std::string& name) override;
  absl::Status Plan(const std::string& owner,
                    const internal::v1::PlanSeparationRequest& request) override;
  absl::Status PutSong(const std::string& owner, const SongFile& song,
                       grpc_util::Cancellation* cancellation) override;
  absl::Status Fail(const std::string& owner,
                    const internal::v1::FailSeparationRequest& request) override;
  absl::Status ReportWaiting(const std::string& owner,
                             const internal::v1::ReportWaitingRequest& request) override;

  // Ends the calls that are under way, but for songs, and all later ones, with UNAVAILABLE: a
  // shutdown waits for no assembler that does not answer.
  void Stop() { shutdown_.Cancel(); }

 private:
  template <typename Method, typename Request, typename Response>
  absl::Status Call(Method method, const Request& request, Response* response,
                    const std::string& owner);

  const std::unique_ptr<internal::v1::AssemblerService::Stub> stub_;
  grpc_util::Cancellation shutdown_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_ASSEMBLER_CLIENT_H_
