#include "services/gateway/track_service.h"

#include "services/gateway/unary_forwarder.h"
#include "services/gateway/upload_forwarder.h"

namespace unbraid::gateway {

using Async = internal::v1::SplitterService::StubInterface::async_interface;

grpc::ServerReadReactor<v1::UploadTrackRequest>* TrackServiceImpl::UploadTrack(
    Context*, v1::UploadTrackResponse* response) {
  return new UploadForwarder(CallRecord("UploadTrack", metrics_), backends_->splitter(),
                             config_.max_upload_bytes, response);
}

grpc::ServerUnaryReactor* TrackServiceImpl::GetUpload(Context* context,
                                                      const v1::GetUploadRequest* request,
                                                      v1::Upload* response) {
  return Forward<Async>(context, "GetUpload", request->upload_id(), metrics_, kSplitter,
                        config_.unary_deadline, backends_->splitter()->async(), &Async::GetUpload,
                        request, response);
}

grpc::ServerUnaryReactor* TrackServiceImpl::GetTrack(Context* context,
                                                     const v1::GetTrackRequest* request,
                                                     v1::Track* response) {
  return Forward<Async>(context, "GetTrack", request->name(), metrics_, kSplitter,
                        config_.unary_deadline, backends_->splitter()->async(), &Async::GetTrack,
                        request, response);
}

grpc::ServerUnaryReactor* TrackServiceImpl::ListTracks(Context* context,
                                                       const v1::ListTracksRequest* request,
                                                       v1::ListTracksResponse* response) {
  return Forward<Async>(context, "ListTracks", "", metrics_, kSplitter, config_.unary_deadline,
                        backends_->splitter()->async(), &Async::ListTracks, request, response);
}

grpc::ServerUnaryReactor* TrackServiceImpl::DeleteTrack(Context* context,
                                                        const v1::DeleteTrackRequest* request,
                                                        google::protobuf::Empty* response) {
  return Forward<Async>(context, "DeleteTrack", request->name(), metrics_, kSplitter,
                        config_.unary_deadline, backends_->splitter()->async(), &Async::DeleteTrack,
                        request, response);
}

}  // namespace unbraid::gateway
