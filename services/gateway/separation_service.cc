#include "services/gateway/separation_service.h"

#include <memory>
#include <utility>

#include "services/common/base/status.h"
#include "services/gateway/separate_call.h"
#include "services/gateway/separate_session.h"
#include "services/gateway/stream_forwarder.h"
#include "services/gateway/unary_forwarder.h"
#include "services/gateway/watch_call.h"

namespace unbraid::gateway {

using Async = internal::v1::AssemblerService::StubInterface::async_interface;

namespace {

CallRecord Record(const char* method, const std::string& subject, telemetry::Metrics* metrics) {
  CallRecord record(method, metrics);
  record.SetSubject(subject);
  return record;
}

}  // namespace

grpc::ServerUnaryReactor* SeparationServiceImpl::CreateSeparation(
    Context* context, const v1::CreateSeparationRequest* request, v1::Separation* response) {
  auto forwarded = std::make_shared<internal::v1::StartSeparationRequest>();
  *forwarded->mutable_separation() = request->separation();
  return new UnaryForwarder(
      context, Record("CreateSeparation", request->separation().track(), metrics_), kSplitter,
      config_.unary_deadline,
      [&](grpc::ClientContext* call, std::function<void(grpc::Status)> done) {
        // The request lives until the answer is there.
        backends_->splitter()->async()->StartSeparation(
            call, forwarded.get(), response,
            [forwarded, done = std::move(done)](grpc::Status status) { done(std::move(status)); });
      },
      [response] { return response->name(); });
}

grpc::ServerUnaryReactor* SeparationServiceImpl::GetSeparation(
    Context* context, const v1::GetSeparationRequest* request, v1::Separation* response) {
  return Forward<Async>(context, "GetSeparation", request->name(), metrics_, kAssembler,
                        config_.unary_deadline, backends_->assembler()->async(),
                        &Async::GetSeparation, request, response);
}

grpc::ServerUnaryReactor* SeparationServiceImpl::ListSeparations(
    Context* context, const v1::ListSeparationsRequest* request,
    v1::ListSeparationsResponse* response) {
  return Forward<Async>(context, "ListSeparations", request->track(), metrics_, kAssembler,
                        config_.unary_deadline, backends_->assembler()->async(),
                        &Async::ListSeparations, request, response);
}

grpc::ServerWriteReactor<v1::WatchSeparationResponse>* SeparationServiceImpl::WatchSeparation(
    Context*, const v1::WatchSeparationRequest* request) {
  return new WatchCall(Record("WatchSeparation", request->name(), metrics_), request->name(),
                       {backends_->assembler(), &watches_, &lives_, config_.unary_deadline});
}

grpc::ServerUnaryReactor* SeparationServiceImpl::CancelSeparation(
    Context* context, const v1::CancelSeparationRequest* request, v1::Separation* response) {
  return Forward<Async>(context, "CancelSeparation", request->name(), metrics_, kAssembler,
                        config_.unary_deadline, backends_->assembler()->async(),
                        &Async::CancelSeparation, request, response);
}

grpc::ServerUnaryReactor* SeparationServiceImpl::DeleteSeparation(
    Context* context, const v1::DeleteSeparationRequest* request,
    google::protobuf::Empty* response) {
  return Forward<Async>(context, "DeleteSeparation", request->name(), metrics_, kAssembler,
                        config_.unary_deadline, backends_->assembler()->async(),
                        &Async::DeleteSeparation, request, response);
}

grpc::ServerUnaryReactor* SeparationServiceImpl::ListChunks(Context* context,
                                                            const v1::ListChunksRequest* request,
                                                            v1::ListChunksResponse* response) {
  return Forward<Async>(context, "ListChunks", request->parent(), metrics_, kAssembler,
                        config_.unary_deadline, backends_->assembler()->async(), &Async::ListChunks,
                        request, response);
}

grpc::ServerWriteReactor<v1::DownloadStemResponse>* SeparationServiceImpl::DownloadStem(
    Context*, const v1::DownloadStemRequest* request) {
  return new StreamForwarder<v1::DownloadStemResponse>(
      Record("DownloadStem", request->name(), metrics_), kAssembler,
      request->follow() ? &lives_ : nullptr, [&](grpc::ClientContext* context, auto* reader) {
        backends_->assembler()->async()->DownloadStem(context, request, reader);
      });
}

grpc::ServerBidiReactor<v1::SeparateRequest, v1::SeparateResponse>* SeparationServiceImpl::Separate(
    Context*) {
  auto* call = new SeparateCall(config_.separate_patience);
  auto record = std::make_shared<CallRecord>("Separate", metrics_);
  auto end = [this, call, record](const absl::Status& status) {
    const grpc::Status answer = grpc_util::ToGrpc(status);
    record->Finish(answer);
    --separate_calls_;
    call->End(answer);  // the call may be gone afterwards
  };
  const bool room = ++separate_calls_ <= config_.max_separate_calls;
  const bool posted = room && sessions_->Post([this, call, record, end] {
    end(RunSeparateSession(call, *backends_, config_, record.get()));
  });
  if (!posted) {
    end(base::Error(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                    "Too many calls of Separate run here; try again soon, or use UploadTrack and "
                    "CreateSeparation."));
  }
  return call;
}

}  // namespace unbraid::gateway
