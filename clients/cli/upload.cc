#include "clients/cli/upload.h"

#include <filesystem>
#include <random>

#include "absl/strings/str_cat.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/utf8.h"
#include "services/common/store/files.h"

namespace unbraid::cli {
namespace {

constexpr int64_t kPartBytes = 256 << 10;
constexpr absl::Duration kReportEvery = absl::Milliseconds(100);
constexpr size_t kMaxLabelBytes = 255;

std::string RandomUploadId() {
  std::random_device device;
  std::string id = "cli-";
  for (int i = 0; i < 4; ++i) absl::StrAppend(&id, absl::Hex(device(), absl::kZeroPad8));
  return id;
}

// A part of a stream that broke may be stored later than the server was asked for what it has, and
// one may be damaged on its way: going on at the committed size mends both.
absl::Status Resumable(const absl::Status& status) {
  const std::string reason = base::ReasonOf(status);
  if (reason != "WRITE_OFFSET_MISMATCH" && reason != "CHECKSUM_MISMATCH") return status;
  return base::Error(absl::StatusCode::kUnavailable, reason, status.message());
}

// One upload of one file, over as many streams as it takes.
class Upload {
 public:
  Upload(store::File file, int64_t size, const Options& options, GatewayClient* client,
         Reporter* reporter)
      : file_(std::move(file)),
        size_(size),
        label_(LabelOf(options.file)),
        silence_non_finite_(options.silence_non_finite),
        upload_id_(RandomUploadId()),
        client_(client),
        reporter_(reporter) {}

  absl::StatusOr<v1::Track> Run() {
    RetryPolicy retry = client_->MakeRetryPolicy();
    while (true) {
      const int64_t before = offset_;
      absl::StatusOr<v1::Track> track = TryOnce();
      if (track.ok()) return track;
      const absl::Status failure = Resumable(track.status());
      if (!MayTryAgain(failure)) return failure;
      // What counts is what was stored, not what was sent.
      UNBRAID_ASSIGN_OR_RETURN(offset_, CommittedSize());
      if (offset_ > before) retry.Reset();
      UNBRAID_RETURN_IF_ERROR(retry.Next(failure));
    }
  }

 private:
  absl::StatusOr<v1::Track> TryOnce() {
    grpc::ClientContext context;
    const Interrupt::Scope scope(client_->interrupt(), &context);
    v1::UploadTrackResponse response;
    auto writer = client_->tracks()->UploadTrack(&context, &response);
    absl::Status read = SendParts(writer.get());
    if (!read.ok()) context.TryCancel();
    const absl::Status status = grpc_util::FromGrpc(writer->Finish());
    UNBRAID_RETURN_IF_ERROR(read);  // a broken disk here explains more than the cancelled call
    UNBRAID_RETURN_IF_ERROR(status);
    return response.track();
  }

  // Sends from offset_ to the end. OK also when the server has hung up: Finish() tells why.
  absl::Status SendParts(grpc::ClientWriter<v1::UploadTrackRequest>* writer) {
    bool first = true;
    std::string part;
    do {
      part.resize(kPartBytes);
      UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file_.ReadAt(offset_, part.data(), kPartBytes));
      part.resize(static_cast<size_t>(got));
      v1::UploadTrackRequest request;
      if (first) FillSpec(request.mutable_spec());
      first = false;
      request.set_write_offset(offset_);
      request.set_crc32c(base::Crc32c(part));
      request.set_data(part);
      request.set_finish_write(got < kPartBytes || offset_ + got == size_);
      if (!writer->Write(request)) return absl::OkStatus();
      offset_ += got;
      Report();
      if (request.finish_write()) break;
    } while (true);
    writer->WritesDone();
    return absl::OkStatus();
  }

  void FillSpec(v1::UploadSpec* spec) const {
    spec->set_upload_id(upload_id_);
    spec->set_display_name(label_);
    spec->set_total_bytes(size_);
    if (silence_non_finite_) {
      spec->set_non_finite_samples(v1::UploadSpec::NON_FINITE_SAMPLES_SILENCE);
    }
  }

  // What the server has; 0 when it knows nothing of the upload.
  absl::StatusOr<int64_t> CommittedSize() {
    v1::GetUploadRequest request;
    request.set_upload_id(upload_id_);
    v1::Upload upload;
    const absl::Status status =
        client_->Call(client_->tracks(), &v1::TrackService::Stub::GetUpload, request, &upload);
    if (absl::IsNotFound(status)) return 0;
    UNBRAID_RETURN_IF_ERROR(status);
    return upload.committed_size();
  }

  void Report() {
    const absl::Time now = absl::Now();
    if (offset_ < size_ && now - last_report_ < kReportEvery) return;
    last_report_ = now;
    reporter_->Uploading(offset_, size_);
  }

  const store::File file_;
  const int64_t size_;
  const std::string label_;
  const bool silence_non_finite_;
  const std::string upload_id_;
  GatewayClient* const client_;
  Reporter* const reporter_;
  int64_t offset_ = 0;
  absl::Time last_report_ = absl::InfinitePast();
};

}  // namespace

std::string LabelOf(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  std::string label;
  for (size_t at = 0; at < name.size();) {
    const size_t length = base::Utf8Length(absl::string_view(name).substr(at));
    const std::string piece = length > 0 ? name.substr(at, length) : "\xEF\xBF\xBD";
    if (label.size() + piece.size() > kMaxLabelBytes) break;
    label += piece;
    at += length > 0 ? length : 1;
  }
  return label;
}

absl::Status CheckSong(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return base::Error(absl::StatusCode::kNotFound, "NO_SUCH_FILE",
                       absl::StrCat("There is no file ", path, "."));
  }
  return store::File::Open(path, store::File::Mode::kRead).status();
}

absl::StatusOr<v1::Track> UploadFile(const Options& options, GatewayClient* client,
                                     Reporter* reporter) {
  UNBRAID_RETURN_IF_ERROR(CheckSong(options.file));
  UNBRAID_ASSIGN_OR_RETURN(store::File file,
                           store::File::Open(options.file, store::File::Mode::kRead));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t size, file.Size());
  return Upload(std::move(file), size, options, client, reporter).Run();
}

}  // namespace unbraid::cli
