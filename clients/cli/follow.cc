#include "clients/cli/follow.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/stem_transfer.h"

namespace unbraid::cli {
namespace {

constexpr char kMix[] = "mix";
using ProgressCall = std::function<void(int64_t received, int64_t total)>;

class PcmSink : public StemSink {
 public:
  PcmSink(PcmOutput* output, const ProgressCall& progress) : output_(output), progress_(progress) {}

  absl::Status Take(const v1::DownloadStemResponse& part) override {
    if (part.has_pcm() && total_ < 0) {
      const int64_t frame_bytes = part.pcm().channels() * static_cast<int64_t>(sizeof(float));
      total_ = part.pcm().frames() * frame_bytes;
      output_->Begin(part.pcm());
    }
    return output_->Write(part.data());
  }

  int64_t total_bytes() const override { return total_; }
  void Progress(int64_t received_bytes) override { progress_(received_bytes, total_); }

 private:
  PcmOutput* const output_;
  const ProgressCall& progress_;
  int64_t total_ = -1;  // until the first message has come
};

absl::Status Play(const Options& options, const std::string& separation, GatewayClient* client,
                  const ProgressCall& progress) {
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
                        const ProgressCall& progress) {
  PcmSink sink(output, progress);
  return TransferStem(name, StemForm::kSamples, client, &sink);
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
