#include "services/splitter/splitter_service.h"

#include <google/protobuf/util/time_util.h>

#include "absl/strings/str_cat.h"
#include "services/common/audio/format.h"
#include "services/common/base/ids.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "services/common/grpc/unary.h"
#include "services/splitter/waiting_text.h"

namespace unbraid::splitter {
namespace {

// Assigns what was found, or gives the error.
template <typename T>
absl::Status Fill(absl::StatusOr<T> found, T* response) {
  if (!found.ok()) return found.status();
  *response = *std::move(found);
  return absl::OkStatus();
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  return google::protobuf::util::TimeUtil::MicrosecondsToDuration(
      absl::ToInt64Microseconds(duration));
}

}  // namespace

grpc::ServerReadReactor<v1::UploadTrackRequest>* SplitterServiceImpl::UploadTrack(
    grpc::CallbackServerContext* context, v1::UploadTrackResponse* response) {
  return UploadReactor::Start(parts_.uploads, parts_.upload_executors, grpc_util::OwnerOf(*context),
                              response);
}

grpc::ServerUnaryReactor* SplitterServiceImpl::GetUpload(grpc::CallbackServerContext* context,
                                                         const v1::GetUploadRequest* request,
                                                         v1::Upload* response) {
  return grpc_util::RunUnary(parts_.calls, context, [this, context, request, response] {
    return Fill(parts_.uploads->Get(grpc_util::OwnerOf(*context), request->upload_id()), response);
  });
}

grpc::ServerUnaryReactor* SplitterServiceImpl::GetTrack(grpc::CallbackServerContext* context,
                                                        const v1::GetTrackRequest* request,
                                                        v1::Track* response) {
  return grpc_util::RunUnary(parts_.calls, context, [this, request, response]() -> absl::Status {
    UNBRAID_ASSIGN_OR_RETURN(const base::TrackId id, base::ParseTrackName(request->name()));
    return Fill(parts_.tracks->Find(id), response);
  });
}

grpc::ServerUnaryReactor* SplitterServiceImpl::ListTracks(grpc::CallbackServerContext* context,
                                                          const v1::ListTracksRequest* request,
                                                          v1::ListTracksResponse* response) {
  return grpc_util::RunUnary(parts_.calls, context, [this, request, response] {
    return Fill(parts_.tracks->List(*request), response);
  });
}

grpc::ServerUnaryReactor* SplitterServiceImpl::DeleteTrack(grpc::CallbackServerContext* context,
                                                           const v1::DeleteTrackRequest* request,
                                                           google::protobuf::Empty*) {
  return grpc_util::RunUnary(parts_.calls, context, [this, request]() -> absl::Status {
    UNBRAID_ASSIGN_OR_RETURN(const base::TrackId id, base::ParseTrackName(request->name()));
    return parts_.jobs->DeleteTrack(id);
  });
}

grpc::ServerUnaryReactor* SplitterServiceImpl::StartSeparation(
    grpc::CallbackServerContext* context, const internal::v1::StartSeparationRequest* request,
    v1::Separation* response) {
  return grpc_util::RunUnary(parts_.calls, context, [this, context, request, response] {
    return Fill(parts_.jobs->Start(grpc_util::OwnerOf(*context), request->separation()), response);
  });
}

grpc::ServerUnaryReactor* SplitterServiceImpl::GetSplitterStatus(
    grpc::CallbackServerContext* context, const internal::v1::GetSplitterStatusRequest* request,
    internal::v1::GetSplitterStatusResponse* response) {
  return grpc_util::RunUnary(parts_.calls, context, [this, request, response] {
    FillStatus(*request, response);
    return absl::OkStatus();
  });
}

void SplitterServiceImpl::FillStatus(const internal::v1::GetSplitterStatusRequest& request,
                                     internal::v1::GetSplitterStatusResponse* response) const {
  const absl::Status assembler = parts_.assembler_state();
  v1::ServiceStatus& service = *response->mutable_service();
  service.set_name("splitter");
  service.set_version(UNBRAID_VERSION);
  const absl::Status disk = parts_.disk_state();
  service.set_available(disk.ok());
  if (!disk.ok()) {
    service.set_message(std::string(disk.message()));
  } else if (!assembler.ok()) {
    service.set_message(absl::StrCat("the assembler cannot be reached: ", assembler.message()));
  }
  const BrokerState broker = parts_.sink->state();
  response->mutable_broker()->set_connected(broker.connected);
  response->mutable_broker()->set_blocked(broker.blocked);
  response->mutable_broker()->set_message(BrokerText(broker));
  for (const std::string& model : request.models()) {
    const auto package = parts_.catalogue->Find(model);
    if (!package.ok()) continue;
    const absl::StatusOr<QueueCounts> counts = parts_.window->Chunks((*package)->id());
    if (!broker.connected || !counts.ok()) continue;
    v1::QueueStatus& queue = *response->add_queues();
    queue.set_model((*package)->name);
    queue.set_model_sha256((*package)->sha256);
    queue.set_ready_chunks(counts->ready);
    queue.set_workers(counts->consumers);
  }
  FillLimits(response->mutable_limits());
}

void SplitterServiceImpl::FillLimits(v1::Limits* response) const {
  const UploadLimits& accepted = parts_.uploads->limits();
  v1::Limits& limits = *response;
  limits.set_max_upload_bytes(accepted.max_bytes);
  limits.mutable_max_duration()->set_seconds(absl::ToInt64Seconds(accepted.max_duration));
  limits.set_max_part_bytes(kMaxPartBytes);
  limits.set_max_channels(audio::kMaxChannels);
  limits.set_min_sample_rate_hz(audio::kMinRateHz);
  limits.set_max_sample_rate_hz(audio::kMaxRateHz);
  for (const std::string& container : accepted.containers) limits.add_containers(container);
  limits.set_owner_quota_bytes(accepted.owner_quota_bytes);
  *limits.mutable_upload_retention() = ToProto(accepted.retention);
  const absl::Duration tracks = parts_.tracks->retention();
  if (tracks != absl::InfiniteDuration()) *limits.mutable_track_retention() = ToProto(tracks);
}

}  // namespace unbraid::splitter
