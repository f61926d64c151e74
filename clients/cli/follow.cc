#include "clients/cli/follow.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/base/crc32c.h"

namespace unbraid::cli {
namespace {

constexpr char kMix[] = "mix";
constexpr absl::Duration kReportEvery = absl::Milliseconds(100);

using Progress = std::function<void(int64_t received, int64_t total)>;

// One stem on its way out.
class Follow {
 public:
  Follow(const std::string& name, GatewayClient* client, PcmOutput* output,
         const Progress& progress)
      : name_(name),
        client_(client),
        output_(output),
        progress_(progress),
        retry_(client->MakeRetryPolicy()) {}

  absl::Status Run() {
    while (received_ != total_) {
      const absl::Status status = ReadFrom();
      if (!status.ok()) UNBRAID_RETURN_IF_ERROR(retry_.Next(status));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadFrom() {
    v1::DownloadStemRequest request;
    request.set_name(name_);
    request.set_read_offset(received_);
    request.set_follow(true);
    grpc::ClientContext context;
    const Interrupt::Scope scope(client_->interrupt(), &context);
    auto reader = client_->separations()->DownloadStem(&context, request);
    v1::DownloadStemResponse part;
    absl::Status status;
    while (status.ok() && reader->Read(&part)) status = Take(part);
    if (!status.ok()) context.TryCancel();
    const absl::Status end = grpc_util::FromGrpc(reader->Finish());
    if (!status.ok()) return status;
    if (end.ok() && received_ != total_)
      return absl::UnavailableError(absl::StrCat(name_, " ended early"));
    return end;
  }

  absl::Status Take(const v1::DownloadStemResponse& part) {
    if (part.offset() != received_ || part.crc32c() != base::Crc32c(part.data()))
      return absl::UnavailableError(absl::StrCat("a part of ", name_, " arrived damaged"));
    retry_.Reset();
    if (part.has_pcm() && total_ < 0) {
      const int64_t frame_bytes = part.pcm().channels() * static_cast<int64_t>(sizeof(float));
      total_ = part.pcm().frames() * frame_bytes;
      output_->Begin(part.pcm());
    }
    UNBRAID_RETURN_IF_ERROR(output_->Write(part.data()));
    received_ += static_cast<int64_t>(part.data().size());
    const absl::Time now = absl::Now();
    if (received_ == total_ || now - last_report_ >= kReportEvery) {
      last_report_ = now;
      progress_(received_, total_);
    }
    return absl::OkStatus();
  }

  const std::string& name_;
  GatewayClient* const client_;
  PcmOutput* const output_;
  const Progress& progress_;
  RetryPolicy retry_;
  int64_t received_ = 0;
  int64_t total_ = -1;  // until the first message has come
  absl::Time last_report_ = absl::InfinitePast();
};

absl::Status Play(const Options& options, const std::string& separation, GatewayClient* client,
                  const Progress& progress) {
  PcmOutput output(STDOUT_FILENO, options.raw, client->interrupt());
  const absl::Status status =
      FollowStem(absl::StrCat(separation, "/stems/", options.play_stem), client, &output, progress);
  return IsOutputClosed(status) ? absl::OkStatus() : status;
}

}  // namespace

absl::Status CheckFollowable(const v1::Separation& separation, const std::string& stem) {
  const auto& stems = separation.stems();
  if (stem == kMix || std::find(stems.begin(), stems.end(), stem) != stems.end())
    return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kInvalidArgument, "UNKNOWN_STEM",
      absl::StrCat(separation.name(), " has no stem \"", stem,
                   "\" to follow. It has: ", absl::StrJoin(stems, ", "), ", ", kMix, "."));
}

absl::Status FollowStem(const std::string& name, GatewayClient* client, PcmOutput* output,
                        const Progress& progress) {
  return Follow(name, client, output, progress).Run();
}

absl::Status PlayStem(const Options& options, const std::string& separation, GatewayClient* client,
                      Reporter* reporter) {
  return Play(options, separation, client, [&](int64_t received, int64_t total) {
    reporter->Downloading(options.play_stem, received, total);
  });
}

BackgroundPlay::BackgroundPlay(const Options& options, std::string separation, Interrupt* interrupt)
    : thread_([this, &options, separation = std::move(separation), interrupt] {
        GatewayClient client(options.gateway, interrupt, options.patience);
        status_ = Play(options, separation, &client, [](int64_t, int64_t) {});
      }) {}

BackgroundPlay::~BackgroundPlay() { (void)Join(); }

absl::Status BackgroundPlay::Join() {
  if (thread_.joinable()) thread_.join();
  return status_;
}

}  // namespace unbraid::cli
