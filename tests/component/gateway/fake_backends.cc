#include "tests/component/gateway/fake_backends.h"

#include <stdexcept>
#include <utility>

#include "absl/time/clock.h"
#include "services/common/grpc/channel.h"

namespace unbraid::gateway {

bool Tally::Await(int64_t count) const {
  absl::MutexLock lock(&mutex_);
  auto reached = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return count_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), kPatience);
}

bool AwaitCancelled(const grpc::ServerContext& context) {
  const absl::Time end = absl::Now() + kPatience;
  while (!context.IsCancelled() && absl::Now() < end) absl::SleepFor(absl::Milliseconds(2));
  return context.IsCancelled();
}

void Calls::Note(const std::string& method, const grpc::ServerContext& context,
                 const google::protobuf::Message& request) {
  absl::MutexLock lock(&mutex_);
  calls_[method] = {request.ShortDebugString(), grpc_util::OwnerOf(context)};
}

std::string Calls::request(const std::string& method) const {
  absl::MutexLock lock(&mutex_);
  return calls_.at(method).first;
}

std::string Calls::owner(const std::string& method) const {
  absl::MutexLock lock(&mutex_);
  return calls_.at(method).second;
}

bool Calls::seen(const std::string& method) const {
  absl::MutexLock lock(&mutex_);
  return calls_.count(method) > 0;
}

FakeSplitter::FakeSplitter() {
  upload = [this](Context*, Parts* parts, v1::UploadTrackResponse* response) {
    return TakeUpload(parts, response);
  };
  status.mutable_service()->set_name("splitter");
  status.mutable_service()->set_version("9.9");
  status.mutable_service()->set_available(true);
  status.mutable_broker()->set_connected(true);
}

grpc::Status FakeSplitter::TakeUpload(Parts* parts, v1::UploadTrackResponse* response) {
  v1::UploadTrackRequest part;
  while (parts->Read(&part)) {
    if (part.has_spec()) display_name = part.spec().display_name();
    uploaded += part.data();
    parts_taken.Add();
    if (part.finish_write()) response->mutable_track()->set_name("tracks/1");
  }
  response->set_committed_size(static_cast<int64_t>(uploaded.size()));
  return grpc::Status::OK;
}

grpc::Status FakeSplitter::UploadTrack(Context* context, Parts* parts,
                                       v1::UploadTrackResponse* response) {
  calls.Note("UploadTrack", *context, google::protobuf::Empty());
  grpc::Status end = upload(context, parts, response);
  if (context->IsCancelled()) uploads_cancelled.Add();
  uploads_ended.Add();
  return end;
}

grpc::Status FakeSplitter::GetUpload(Context* context, const v1::GetUploadRequest* request,
                                     v1::Upload* response) {
  calls.Note("GetUpload", *context, *request);
  response->set_committed_size(7);
  return answer(context);
}

grpc::Status FakeSplitter::GetTrack(Context* context, const v1::GetTrackRequest* request,
                                    v1::Track* response) {
  calls.Note("GetTrack", *context, *request);
  response->set_name("tracks/1");
  return answer(context);
}

grpc::Status FakeSplitter::ListTracks(Context* context, const v1::ListTracksRequest* request,
                                      v1::ListTracksResponse* response) {
  calls.Note("ListTracks", *context, *request);
  response->add_tracks()->set_name("tracks/1");
  return answer(context);
}

grpc::Status FakeSplitter::DeleteTrack(Context* context, const v1::DeleteTrackRequest* request,
                                       google::protobuf::Empty*) {
  calls.Note("DeleteTrack", *context, *request);
  return answer(context);
}

grpc::Status FakeSplitter::StartSeparation(Context* context,
                                           const internal::v1::StartSeparationRequest* request,
                                           v1::Separation* response) {
  calls.Note("StartSeparation", *context, *request);
  *response = News(v1::Separation::STATE_PREPARING).separation();
  return answer(context);
}

grpc::Status FakeSplitter::GetSplitterStatus(Context* context,
                                             const internal::v1::GetSplitterStatusRequest* request,
                                             internal::v1::GetSplitterStatusResponse* response) {
  // The gateway's own look at its backends names no models.
  if (request->models_size() > 0) calls.Note("GetSplitterStatus", *context, *request);
  *response = status;
  return status_answer(context);
}

FakeAssembler::FakeAssembler() {
  watch = [](Context*, News* writer) {
    for (auto state : {v1::Separation::STATE_SEPARATING, v1::Separation::STATE_SUCCEEDED}) {
      writer->Write(gateway::News(state));
    }
    return grpc::Status::OK;
  };
  download = [](Context*, const v1::DownloadStemRequest& request, Parts* writer) {
    v1::DownloadStemResponse part;
    part.mutable_stem_file()->set_name(request.name());
    part.set_offset(request.read_offset());
    part.set_data("begin");
    writer->Write(part);
    part.clear_stem_file();
    part.set_data("end");
    writer->Write(part);
    return grpc::Status::OK;
  };
  status.mutable_service()->set_name("assembler");
  status.mutable_service()->set_available(true);
}

grpc::Status FakeAssembler::GetSeparation(Context* context, const v1::GetSeparationRequest* request,
                                          v1::Separation* response) {
  calls.Note("GetSeparation", *context, *request);
  asked.Add();
  response->set_name("separations/2");
  fill(response);
  return answer(context);
}

grpc::Status FakeAssembler::ListSeparations(Context* context,
                                            const v1::ListSeparationsRequest* request,
                                            v1::ListSeparationsResponse* response) {
  calls.Note("ListSeparations", *context, *request);
  response->set_next_page_token("next");
  return answer(context);
}

grpc::Status FakeAssembler::CancelSeparation(Context* context,
                                             const v1::CancelSeparationRequest* request,
                                             v1::Separation* response) {
  calls.Note("CancelSeparation", *context, *request);
  response->set_name("separations/2");
  return answer(context);
}

grpc::Status FakeAssembler::DeleteSeparation(Context* context,
                                             const v1::DeleteSeparationRequest* request,
                                             google::protobuf::Empty*) {
  calls.Note("DeleteSeparation", *context, *request);
  return answer(context);
}

grpc::Status FakeAssembler::ListChunks(Context* context, const v1::ListChunksRequest* request,
                                       v1::ListChunksResponse* response) {
  calls.Note("ListChunks", *context, *request);
  response->set_next_page_token("next");
  return answer(context);
}

grpc::Status FakeAssembler::WatchSeparation(Context* context,
                                            const v1::WatchSeparationRequest* request,
                                            News* writer) {
  calls.Note("WatchSeparation", *context, *request);
  streams_begun.Add();
  grpc::Status end = watch(context, writer);
  if (context->IsCancelled()) streams_cancelled.Add();
  streams_ended.Add();
  return end;
}

grpc::Status FakeAssembler::DownloadStem(Context* context, const v1::DownloadStemRequest* request,
                                         Parts* writer) {
  calls.Note("DownloadStem", *context, *request);
  streams_begun.Add();
  grpc::Status end = download(context, *request, writer);
  if (context->IsCancelled()) streams_cancelled.Add();
  streams_ended.Add();
  return end;
}

grpc::Status FakeAssembler::GetAssemblerStatus(Context* context,
                                               const internal::v1::GetAssemblerStatusRequest*,
                                               internal::v1::GetAssemblerStatusResponse* response) {
  *response = status;
  return status_answer(context);
}

std::unique_ptr<grpc_util::Server> Serve(grpc::Service* service, int port) {
  grpc_util::ServerOptions options;
  options.listen = {"127.0.0.1", port};
  options.services = {service};
  auto server = grpc_util::Server::Start(options);
  if (!server.ok()) throw std::runtime_error(server.status().ToString());
  return *std::move(server);
}

v1::WatchSeparationResponse News(v1::Separation::State state) {
  v1::WatchSeparationResponse news;
  v1::Separation* separation = news.mutable_separation();
  separation->set_name("separations/2");
  separation->set_state(state);
  if (state == v1::Separation::STATE_FAILED) {
    separation->mutable_failure()->set_reason("CHUNK_FAILED");
    separation->mutable_failure()->set_message("The model could not compute chunk 3.");
  }
  if (state == v1::Separation::STATE_SUCCEEDED) {
    separation->add_outputs()->set_name("separations/2/stems/vocals");
    separation->add_outputs()->set_name("separations/2/stems/mix");
  }
  return news;
}

}  // namespace unbraid::gateway
