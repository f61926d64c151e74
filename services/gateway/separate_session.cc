#include "services/gateway/separate_session.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "services/gateway/upload_checks.h"

namespace unbraid::gateway {
namespace {

constexpr char kNoStart[] = "The first message must carry `start`.";

absl::Status ClientGone() { return absl::CancelledError("the client is gone"); }

absl::Status Invalid(const char* sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_UPLOAD", sentence);
}

class Session {
 public:
  Session(SeparateCall* call, const Backends& backends, const Config& config, CallRecord* record)
      : call_(call),
        backends_(backends),
        config_(config),
        checks_(config.max_upload_bytes),
        record_(record) {}

  absl::Status Run() {
    UNBRAID_RETURN_IF_ERROR(ReadStart());
    UNBRAID_ASSIGN_OR_RETURN(const v1::Track track, Upload());
    UNBRAID_ASSIGN_OR_RETURN(const std::string name, Create(track));
    record_->SetSubject(name);
    UNBRAID_ASSIGN_OR_RETURN(const v1::Separation separation, Watch(name));
    if (!start_.download()) return absl::OkStatus();
    for (const v1::StemFile& output : separation.outputs())
      UNBRAID_RETURN_IF_ERROR(Download(output));
    return absl::OkStatus();
  }

 private:
  // Why there is no message; `ended`: what is wrong when the client sends no more.
  absl::Status NothingRead(const char* ended) const {
    if (call_->cancelled()) return ClientGone();
    if (!call_->silent()) return Invalid(ended);
    return base::Error(absl::StatusCode::kUnavailable, "UPLOAD_SILENT",
                       "Nothing came for minutes; call again, or use UploadTrack, which goes on "
                       "where it was.");
  }

  absl::Status ReadStart() {
    v1::SeparateRequest request;
    if (!call_->Read(&request)) return NothingRead(kNoStart);
    if (!request.has_start()) return Invalid(kNoStart);
    if (!request.start().separation().track().empty()) {
      return Invalid(
          "`start.separation.track` must be empty: the track is the one that is being uploaded.");
    }
    start_ = std::move(*request.mutable_start());
    return absl::OkStatus();
  }

  absl::StatusOr<v1::Track> Upload() {
    SeparateCall::Backend backend(call_);
    v1::UploadTrackResponse response;
    auto writer = backends_.splitter()->UploadTrack(backend.context(), &response);
    const absl::Status sent = SendParts(writer.get());
    if (!sent.ok()) backend.context()->TryCancel();
    const absl::Status end = Answer(writer->Finish(), kSplitter);
    UNBRAID_RETURN_IF_ERROR(sent);
    UNBRAID_RETURN_IF_ERROR(end);
    v1::SeparateResponse news;
    *news.mutable_track() = response.track();
    (void)Write(news);  // The job goes on without the client.
    return response.track();
  }

  // OK also when the splitter has hung up: Finish() tells why.
  absl::Status SendParts(grpc::ClientWriter<v1::UploadTrackRequest>* writer) {
    v1::SeparateRequest request;
    bool first = true;
    bool last = false;
    while (!last) {
      if (!call_->Read(&request)) {
        return NothingRead("The upload ended before a part with `finish_write`.");
      }
      v1::UploadTrackRequest* part = request.mutable_part();
      if (!request.has_part() || part->has_spec()) {
        return Invalid("After `start` only parts without `spec` may follow.");
      }
      if (std::exchange(first, false)) *part->mutable_spec() = start_.upload();
      last = part->finish_write();
      record_->CountUp(part->ByteSizeLong());
      UNBRAID_RETURN_IF_ERROR(checks_.Check(*part));
      if (!writer->Write(*part)) return absl::OkStatus();
    }
    writer->WritesDone();
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Create(const v1::Track& track) {
    internal::v1::StartSeparationRequest request;
    *request.mutable_separation() = start_.separation();
    request.mutable_separation()->set_track(track.name());
    v1::Separation separation;
    grpc::ClientContext context;
    grpc_util::PrepareCall(&context, config_.unary_deadline, grpc_util::kDefaultOwner);
    UNBRAID_RETURN_IF_ERROR(
        Answer(backends_.splitter()->StartSeparation(&context, request, &separation), kSplitter));
    return separation.name();
  }

  absl::StatusOr<v1::Separation> Watch(const std::string& name) {
    SeparateCall::Backend backend(call_);
    v1::WatchSeparationRequest request;
    request.set_name(name);
    auto reader = backends_.assembler()->WatchSeparation(backend.context(), request);
    v1::WatchSeparationResponse news;
    v1::SeparateResponse response;
    bool gone = false;
    while (!gone && reader->Read(&news)) {
      *response.mutable_separation() = news.separation();
      gone = !Write(response);
    }
    if (gone) backend.context()->TryCancel();
    const absl::Status end = Answer(reader->Finish(), kAssembler);
    if (gone) return ClientGone();
    UNBRAID_RETURN_IF_ERROR(end);
    return Outcome(news.separation());
  }

  static absl::StatusOr<v1::Separation> Outcome(const v1::Separation& separation) {
    switch (separation.state()) {
      case v1::Separation::STATE_SUCCEEDED:
        return separation;
      case v1::Separation::STATE_CANCELLED:
        return base::Error(absl::StatusCode::kAborted, "SEPARATION_CANCELLED",
                           absl::StrCat(separation.name(), " was cancelled."));
      case v1::Separation::STATE_FAILED:
        return base::Error(absl::StatusCode::kAborted, "SEPARATION_FAILED",
                           separation.failure().message(),
                           {{"failure_reason", separation.failure().reason()}});
      default:
        return base::Error(absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
                           absl::StrCat("The assembler is restarting. The job goes on: watch ",
                                        separation.name(), "."));
    }
  }

  absl::Status Download(const v1::StemFile& output) {
    SeparateCall::Backend backend(call_);
    v1::DownloadStemRequest request;
    request.set_name(output.name());
    auto reader = backends_.assembler()->DownloadStem(backend.context(), request);
    v1::SeparateResponse response;
    bool gone = false;
    while (!gone && reader->Read(response.mutable_stem_part())) gone = !Write(response);
    if (gone) backend.context()->TryCancel();
    const absl::Status end = Answer(reader->Finish(), kAssembler);
    return gone ? ClientGone() : end;
  }

  bool Write(const v1::SeparateResponse& response) {
    record_->CountDown(response.ByteSizeLong());
    return call_->Write(response);
  }

  absl::Status Answer(const grpc::Status& status, const char* service) const {
    return grpc_util::FromGrpc(FromBackend(status, service, call_->cancelled()));
  }

  SeparateCall* const call_;
  const Backends& backends_;
  const Config& config_;
  UploadChecks checks_;
  CallRecord* const record_;
  v1::SeparateStart start_;
};

}  // namespace

absl::Status RunSeparateSession(SeparateCall* call, const Backends& backends, const Config& config,
                                CallRecord* record) {
  return Session(call, backends, config, record).Run();
}

}  // namespace unbraid::gateway
