#include "services/splitter/preparation.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::splitter {
namespace {

constexpr int64_t kBlockFrames = 65'536;

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
  UNBRAID_ASSIGN_OR_RETURN(auto decoder, input.open_audio(input.track_path, input.decode));
  const int64_t model_frames =
      audio::ResampledFrames(input.track_frames, input.track_rate_hz, input.model_rate_hz);
  std::unique_ptr<Preparation> preparation(
      new Preparation(input, std::move(decoder), model_frames));
  UNBRAID_RETURN_IF_ERROR(preparation->Open());
  return preparation;
}

Preparation::Preparation(const PreparationInput& input, std::unique_ptr<audio::AudioReader> decoder,
                         int64_t model_frames)
    : input_(input),
      decoder_(std::move(decoder)),
      downmix_(decoder_->speakers()),
      statistics_(downmix_.out_channels()) {
  result_.model_frames = model_frames;
}

absl::Status Preparation::Open() {
  const int channels = downmix_.out_channels();
  const int64_t song_frames = input_.song_path.empty() ? 0 : input_.track_frames;
  UNBRAID_RETURN_IF_ERROR(CheckRoom(input_, (result_.model_frames + song_frames) * channels *
                                                static_cast<int64_t>(sizeof(float))));
  UNBRAID_ASSIGN_OR_RETURN(
      resampler_, audio::Resampler::Create(input_.track_rate_hz, input_.model_rate_hz, channels,
                                           result_.model_frames));
  UNBRAID_ASSIGN_OR_RETURN(spool_,
                           SpoolWriter::Create(input_.spool_path, channels, result_.model_frames));
  if (song_frames == 0) return absl::OkStatus();
  UNBRAID_ASSIGN_OR_RETURN(song_, SpoolWriter::Create(input_.song_path, channels, song_frames));
  return absl::OkStatus();
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
  if (song_ != nullptr) UNBRAID_RETURN_IF_ERROR(song_->Append(mixed_));
  UNBRAID_RETURN_IF_ERROR(resampler_->Process(mixed_.data(), got, &resampled_));
  UNBRAID_RETURN_IF_ERROR(WriteOut());
  return false;
}

absl::Status Preparation::WriteOut() {
  if (input_.normalisation == model::Normalisation::kTrack) {
    statistics_.Add(resampled_.data(),
                    static_cast<int64_t>(resampled_.size()) / downmix_.out_channels());
  }
  return spool_->Append(resampled_);
}

int64_t Preparation::written_frames() const {
  return spool_->written_bytes() / (downmix_.out_channels() * static_cast<int64_t>(sizeof(float)));
}

absl::Status Preparation::Complete() {
  if (input_.normalisation == model::Normalisation::kTrack) {
    result_.mean = statistics_.mean();
    result_.scale = statistics_.Scale();
  }
  if (song_ != nullptr) UNBRAID_RETURN_IF_ERROR(song_->Complete());
  return spool_->Complete();
}

}  // namespace unbraid::splitter
