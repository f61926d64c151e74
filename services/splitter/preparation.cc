#include "services/splitter/preparation.h"

#include <atomic>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

constexpr int64_t kBlockFrames = 65'536;

// A name of its own for each run: a cancelled run may still be ending when the separation starts
// anew.
std::string PartPath(const std::string& spool_path) {
  static std::atomic<int64_t> runs{0};
  return absl::StrCat(spool_path, ".", ++runs, ".part");
}

absl::Status CheckRoom(const PreparationInput& input, int64_t bytes) {
  const std::string folder = std::filesystem::path(input.spool_path).parent_path().string();
  UNBRAID_ASSIGN_OR_RETURN(const int64_t free, store::FreeBytes(folder));
  if (free >= bytes + input.min_free_bytes) return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kResourceExhausted, "DISK_FULL",
      absl::StrCat("The splitter's disk has no room for the ", bytes, " bytes of decoded audio."));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Preparation>> Preparation::Create(const PreparationInput& input) {
  UNBRAID_ASSIGN_OR_RETURN(auto decoder, audio::Decoder::Open(input.track_path));
  const int channels = audio::StemChannels(decoder->format().channels);
  const int64_t model_frames =
      audio::ResampledFrames(input.track_frames, input.track_rate_hz, input.model_rate_hz);
  UNBRAID_RETURN_IF_ERROR(
      CheckRoom(input, model_frames * channels * static_cast<int64_t>(sizeof(float))));
  UNBRAID_ASSIGN_OR_RETURN(
      auto resampler,
      audio::Resampler::Create(input.track_rate_hz, input.model_rate_hz, channels, model_frames));
  UNBRAID_ASSIGN_OR_RETURN(store::File file, store::File::Open(PartPath(input.spool_path),
                                                               store::File::Mode::kCreateEmpty));
  return std::unique_ptr<Preparation>(new Preparation(
      input, std::move(decoder), std::move(resampler), std::move(file), model_frames));
}

Preparation::Preparation(const PreparationInput& input, std::unique_ptr<audio::Decoder> decoder,
                         std::unique_ptr<audio::Resampler> resampler, store::File file,
                         int64_t model_frames)
    : input_(input),
      decoder_(std::move(decoder)),
      downmix_(decoder_->speakers()),
      resampler_(std::move(resampler)),
      statistics_(downmix_.out_channels()),
      file_(std::move(file)) {
  result_.model_frames = model_frames;
}

Preparation::~Preparation() {
  // Should this fail, the next start of the splitter removes the file.
  if (!complete_) (void)store::RemoveAll(file_.path());
}

absl::StatusOr<bool> Preparation::Step() {
  decoded_.resize(static_cast<size_t>(kBlockFrames * decoder_->format().channels));
  mixed_.clear();
  resampled_.clear();
  UNBRAID_ASSIGN_OR_RETURN(const int64_t got, decoder_->Read(decoded_.data(), kBlockFrames));
  if (got == 0) {
    UNBRAID_RETURN_IF_ERROR(resampler_->Finish(&resampled_));
    UNBRAID_RETURN_IF_ERROR(WriteOut());
    UNBRAID_RETURN_IF_ERROR(Complete());
    return true;
  }
  downmix_.Process(decoded_.data(), got, &mixed_);
  UNBRAID_RETURN_IF_ERROR(resampler_->Process(mixed_.data(), got, &resampled_));
  UNBRAID_RETURN_IF_ERROR(WriteOut());
  return false;
}

absl::Status Preparation::WriteOut() {
  const auto count = static_cast<int64_t>(resampled_.size());
  statistics_.Add(resampled_.data(), count / downmix_.out_channels());
  UNBRAID_RETURN_IF_ERROR(file_.WriteAt(written_bytes_, audio::AsBytes(resampled_.data(), count)));
  written_bytes_ += count * static_cast<int64_t>(sizeof(float));
  return absl::OkStatus();
}

int64_t Preparation::written_frames() const {
  return written_bytes_ / (downmix_.out_channels() * static_cast<int64_t>(sizeof(float)));
}

absl::Status Preparation::Complete() {
  const int64_t frame_bytes = downmix_.out_channels() * static_cast<int64_t>(sizeof(float));
  if (written_bytes_ != result_.model_frames * frame_bytes) {
    return absl::InternalError(absl::StrCat("the spool has ", written_frames(),
                                            " frames instead of ", result_.model_frames));
  }
  if (input_.normalisation == model::Normalisation::kTrack) {
    result_.mean = statistics_.mean();
    result_.scale = statistics_.Scale();
  }
  UNBRAID_RETURN_IF_ERROR(file_.Sync());
  UNBRAID_RETURN_IF_ERROR(file_.Close());
  UNBRAID_RETURN_IF_ERROR(store::RenameDurably(file_.path(), input_.spool_path));
  complete_ = true;
  return absl::OkStatus();
}

}  // namespace unbraid::splitter
