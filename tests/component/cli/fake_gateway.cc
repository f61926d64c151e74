#include "tests/component/cli/fake_gateway.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "services/common/base/crc32c.h"
#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"

namespace unbraid::cli {
namespace {

const grpc::Status kBroken(grpc::StatusCode::UNAVAILABLE, "the line was cut");

}  // namespace

class FakeGateway::Tracks : public v1::TrackService::Service {
 public:
  explicit Tracks(FakeGateway* fake) : fake_(fake) {}

  grpc::Status UploadTrack(grpc::ServerContext*, grpc::ServerReader<v1::UploadTrackRequest>* reader,
                           v1::UploadTrackResponse* response) override {
    v1::UploadTrackRequest part;
    while (reader->Read(&part)) {
      absl::MutexLock lock(&fake_->mutex_);
      if (part.write_offset() != static_cast<int64_t>(fake_->uploaded_.size())) {
        return grpc_util::ToGrpc(
            base::Error(absl::StatusCode::kOutOfRange, "WRITE_OFFSET_MISMATCH", "wrong offset"));
      }
      if (part.crc32c() != base::Crc32c(part.data()))
        return {grpc::StatusCode::DATA_LOSS, "damaged"};
      if (fake_->damage_uploads) {
        return grpc_util::ToGrpc(
            base::Error(absl::StatusCode::kDataLoss, "CHECKSUM_MISMATCH", "damaged"));
      }
      fake_->uploaded_ += part.data();
      const auto limit = fake_->break_upload_after;
      if (limit >= 0 && static_cast<int64_t>(fake_->uploaded_.size()) >= limit) {
        fake_->break_upload_after = -1;
        return kBroken;
      }
      if (part.finish_write()) response->mutable_track()->set_name("tracks/1");
    }
    if (!response->has_track()) return kBroken;
    if (fake_->uploaded().empty()) {
      return grpc_util::ToGrpc(
          base::Error(absl::StatusCode::kInvalidArgument, "EMPTY_FILE", "The file is empty."));
    }
    return grpc::Status::OK;
  }

  // There is one, and the answer to its deletion gets lost.
  grpc::Status DeleteTrack(grpc::ServerContext*, const v1::DeleteTrackRequest*,
                           google::protobuf::Empty*) override {
    if (std::exchange(deleted_, true)) return {grpc::StatusCode::NOT_FOUND, "no such track"};
    return kBroken;
  }

  grpc::Status GetUpload(grpc::ServerContext*, const v1::GetUploadRequest*,
                         v1::Upload* upload) override {
    const int64_t stale = std::exchange(fake_->stale_size, -1);
    upload->set_committed_size(stale >= 0 ? stale : static_cast<int64_t>(fake_->uploaded().size()));
    return grpc::Status::OK;
  }

 private:
  FakeGateway* const fake_;
  bool deleted_ = false;
};

class FakeGateway::Separations : public v1::SeparationService::Service {
 public:
  explicit Separations(FakeGateway* fake) : fake_(fake) {}

  grpc::Status CreateSeparation(grpc::ServerContext*, const v1::CreateSeparationRequest* request,
                                v1::Separation* separation) override {
    {
      absl::MutexLock lock(&fake_->mutex_);
      fake_->created_ = request->separation();
    }
    if (fake_->on_create) fake_->on_create();
    *separation = fake_->MakeSeparation(v1::Separation::STATE_PREPARING);
    return grpc::Status::OK;
  }

  grpc::Status GetSeparation(grpc::ServerContext*, const v1::GetSeparationRequest*,
                             v1::Separation* separation) override {
    *separation = fake_->MakeSeparation(fake_->outcome);
    return grpc::Status::OK;
  }

  grpc::Status WatchSeparation(grpc::ServerContext*, const v1::WatchSeparationRequest*,
                               grpc::ServerWriter<v1::WatchSeparationResponse>* writer) override {
    v1::WatchSeparationResponse news;
    *news.mutable_separation() = fake_->MakeSeparation(v1::Separation::STATE_SEPARATING);
    writer->Write(news);
    if (fake_->watch_for_ever) {
      fake_->watching.Notify();
      absl::MutexLock lock(&fake_->mutex_);
      fake_->mutex_.Await(absl::Condition(&fake_->cancelled_));
    }
    *news.mutable_separation() = fake_->MakeSeparation(
        fake_->cancelled() ? v1::Separation::STATE_CANCELLED : fake_->outcome);
    writer->Write(news);
    return grpc::Status::OK;
  }

  grpc::Status CancelSeparation(grpc::ServerContext*, const v1::CancelSeparationRequest*,
                                v1::Separation* separation) override {
    if (fake_->cancels_refused-- > 0) return kBroken;
    absl::MutexLock lock(&fake_->mutex_);
    fake_->cancelled_ = true;
    *separation = fake_->MakeSeparation(v1::Separation::STATE_CANCELLED);
    return grpc::Status::OK;
  }

  grpc::Status DownloadStem(grpc::ServerContext*, const v1::DownloadStemRequest* request,
                            grpc::ServerWriter<v1::DownloadStemResponse>* writer) override {
    constexpr size_t kPart = 100'000;
    const std::string& content =
        fake_->sent_content.empty() ? fake_->stem_content : fake_->sent_content;
    for (auto at = static_cast<size_t>(request->read_offset()); at < content.size(); at += kPart) {
      v1::DownloadStemResponse part;
      if (request->follow() && static_cast<int64_t>(at) == request->read_offset()) {
        part.mutable_pcm()->set_sample_rate_hz(48'000);
        part.mutable_pcm()->set_channels(1);
        part.mutable_pcm()->set_frames(static_cast<int64_t>(content.size() / sizeof(float)));
      }
      part.set_offset(static_cast<int64_t>(at));
      part.set_data(content.substr(at, kPart));
      part.set_crc32c(base::Crc32c(part.data()));
      writer->Write(part);
      if (fake_->break_download_after >= 0 &&
          static_cast<int64_t>(at + kPart) >= fake_->break_download_after) {
        fake_->break_download_after = -1;
        return kBroken;
      }
    }
    return grpc::Status::OK;
  }

 private:
  FakeGateway* const fake_;
};

FakeGateway::FakeGateway()
    : tracks_(std::make_unique<Tracks>(this)), separations_(std::make_unique<Separations>(this)) {
  grpc_util::ServerOptions options;
  options.listen = {"127.0.0.1", 0};
  options.services = {tracks_.get(), separations_.get()};
  auto server = grpc_util::Server::Start(options);
  if (!server.ok()) throw std::runtime_error(server.status().ToString());
  server_ = *std::move(server);
}

FakeGateway::~FakeGateway() = default;

std::string FakeGateway::uploaded() const {
  absl::MutexLock lock(&mutex_);
  return uploaded_;
}

bool FakeGateway::cancelled() const {
  absl::MutexLock lock(&mutex_);
  return cancelled_;
}

v1::Separation FakeGateway::created() const {
  absl::MutexLock lock(&mutex_);
  return created_;
}

v1::Separation FakeGateway::MakeSeparation(v1::Separation::State state) const {
  v1::Separation separation;
  separation.set_name("separations/2");
  separation.set_state(state);
  if (state == v1::Separation::STATE_FAILED) {
    separation.mutable_failure()->set_reason("CHUNK_FAILED");
    separation.mutable_failure()->set_message("The model could not compute chunk 3.");
  }
  if (state != v1::Separation::STATE_SUCCEEDED) return separation;
  for (const std::string& stem : {first_stem, std::string("mix")}) {
    v1::StemFile* output = separation.add_outputs();
    output->set_name("separations/2/stems/" + stem);
    output->set_stem(stem);
    output->set_extension("wav");
    output->set_size_bytes(static_cast<int64_t>(stem_content.size()));
    output->set_sha256(base::ToHex(base::Sha256Of(stem_content)));
  }
  return separation;
}

}  // namespace unbraid::cli
