#ifndef UNBRAID_TESTS_COMPONENT_GATEWAY_FAKE_BACKENDS_H_
#define UNBRAID_TESTS_COMPONENT_GATEWAY_FAKE_BACKENDS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/common/grpc/server.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"
#include "unbraid/internal/v1/splitter_service.grpc.pb.h"

namespace unbraid::gateway {

// Longest wait for something that should happen at once.
inline constexpr absl::Duration kPatience = absl::Seconds(20);

// Something that has happened so many times.
class Tally {
 public:
  void Add(int64_t n = 1) {
    absl::MutexLock lock(&mutex_);
    count_ += n;
  }
  int64_t count() const {
    absl::MutexLock lock(&mutex_);
    return count_;
  }
  // False when it takes longer than kPatience.
  bool Await(int64_t count) const;

 private:
  mutable absl::Mutex mutex_;
  int64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Waits until the caller has gone away; gRPC's synchronous server has no event for it.
bool AwaitCancelled(const grpc::ServerContext& context);

// What the calls of a fake have brought: per method the last request, as text, and its owner.
class Calls {
 public:
  void Note(const std::string& method, const grpc::ServerContext& context,
            const google::protobuf::Message& request);
  std::string request(const std::string& method) const;
  std::string owner(const std::string& method) const;
  bool seen(const std::string& method) const;

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, std::pair<std::string, std::string>> calls_ ABSL_GUARDED_BY(mutex_);
};

// A splitter that answers every unary call at once, with `answer`; uploads go to `upload`. Set the
// members before the calls.
class FakeSplitter : public internal::v1::SplitterService::Service {
 public:
  using Context = grpc::ServerContext;
  using Parts = grpc::ServerReader<v1::UploadTrackRequest>;

  FakeSplitter();

  // Takes the whole upload into `uploaded` and answers with tracks/1.
  grpc::Status TakeUpload(Parts* parts, v1::UploadTrackResponse* response);

  std::function<grpc::Status(Context*)> answer = [](Context*) { return grpc::Status::OK; };
  std::function<grpc::Status(Context*)> status_answer = answer;
  std::function<grpc::Status(Context*, Parts*, v1::UploadTrackResponse*)> upload;
  internal::v1::GetSplitterStatusResponse status;
  Calls calls;
  std::string uploaded;
  std::string display_name;
  Tally parts_taken;
  Tally uploads_ended;
  Tally uploads_cancelled;

  grpc::Status UploadTrack(Context* context, Parts* parts,
                           v1::UploadTrackResponse* response) override;
  grpc::Status GetUpload(Context* context, const v1::GetUploadRequest* request,
                         v1::Upload* response) override;
  grpc::Status GetTrack(Context* context, const v1::GetTrackRequest* request,
                        v1::Track* response) override;
  grpc::Status ListTracks(Context* context, const v1::ListTracksRequest* request,
                          v1::ListTracksResponse* response) override;
  grpc::Status DeleteTrack(Context* context, const v1::DeleteTrackRequest* request,
                           google::protobuf::Empty* response) override;
  grpc::Status StartSeparation(Context* context,
                               const internal::v1::StartSeparationRequest* request,
                               v1::Separation* response) override;
  grpc::Status GetSplitterStatus(Context* context,
                                 const internal::v1::GetSplitterStatusRequest* request,
                                 internal::v1::GetSplitterStatusResponse* response) override;
};

// The same for the assembler; streams go to `watch` and `download`.
class FakeAssembler : public internal::v1::AssemblerService::Service {
 public:
  using Context = grpc::ServerContext;
  using News = grpc::ServerWriter<v1::WatchSeparationResponse>;
  using Parts = grpc::ServerWriter<v1::DownloadStemResponse>;

  FakeAssembler();

  std::function<grpc::Status(Context*)> answer = [](Context*) { return grpc::Status::OK; };
  std::function<grpc::Status(Context*)> status_answer = answer;
  std::function<grpc::Status(Context*, News*)> watch;
  std::function<grpc::Status(Context*, const v1::DownloadStemRequest&, Parts*)> download;
  internal::v1::GetAssemblerStatusResponse status;
  std::function<void(v1::Separation*)> fill = [](v1::Separation*) {};  // of GetSeparation's answer
  Calls calls;
  Tally asked;  // calls of GetSeparation
  Tally streams_begun;
  Tally streams_ended;
  Tally streams_cancelled;

  grpc::Status GetSeparation(Context* context, const v1::GetSeparationRequest* request,
                             v1::Separation* response) override;
  grpc::Status ListSeparations(Context* context, const v1::ListSeparationsRequest* request,
                               v1::ListSeparationsResponse* response) override;
  grpc::Status CancelSeparation(Context* context, const v1::CancelSeparationRequest* request,
                                v1::Separation* response) override;
  grpc::Status DeleteSeparation(Context* context, const v1::DeleteSeparationRequest* request,
                                google::protobuf::Empty* response) override;
  grpc::Status ListChunks(Context* context, const v1::ListChunksRequest* request,
                          v1::ListChunksResponse* response) override;
  grpc::Status WatchSeparation(Context* context, const v1::WatchSeparationRequest* request,
                               News* writer) override;
  grpc::Status DownloadStem(Context* context, const v1::DownloadStemRequest* request,
                            Parts* writer) override;
  grpc::Status GetAssemblerStatus(Context* context,
                                  const internal::v1::GetAssemblerStatusRequest* request,
                                  internal::v1::GetAssemblerStatusResponse* response) override;
};

// A fake that listens; port 0 takes a free one.
std::unique_ptr<grpc_util::Server> Serve(grpc::Service* service, int port = 0);

// separations/2 in `state`, with two outputs where it has SUCCEEDED.
v1::WatchSeparationResponse News(v1::Separation::State state);

}  // namespace unbraid::gateway

#endif  // UNBRAID_TESTS_COMPONENT_GATEWAY_FAKE_BACKENDS_H_
