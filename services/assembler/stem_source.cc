#include "services/assembler/stem_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/decoder.h"
#include "services/common/audio/resampler.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

// As PCM in stereo it is as large as the largest part of an answer.
constexpr int64_t kBlockFrames = 32'768;

class JoinedSource : public StemSource {
 public:
  JoinedSource(const FollowPlan& plan, int64_t begin)
      : plan_(plan), begin_(begin), position_(begin) {}

  absl::Status OpenFiles() {
    for (const FollowPlan::Part& part : plan_.parts) {
      UNBRAID_ASSIGN_OR_RETURN(store::File file,
                               store::File::Open(part.path, store::File::Mode::kRead));
      inputs_.push_back({std::move(file), part.gain, nullptr});
    }
    return absl::OkStatus();
  }

  int64_t begin_frame() const override { return begin_; }

  bool CanRead(int64_t joined_frames) const override {
    return position_ < joined_frames || (position_ == plan_.model_frames && !finished_);
  }

  absl::Status Read(int64_t joined_frames, std::vector<float>* out) override {
    const int64_t frames = std::min(kBlockFrames, joined_frames - position_);
    UNBRAID_RETURN_IF_ERROR(plan_.is_mix ? ReadMix(frames, out)
                                         : ReadInput(&inputs_.front(), frames, out));
    position_ += frames;
    finished_ = frames == 0;
    return absl::OkStatus();
  }

 private:
  struct Input {
    store::File file;
    double gain;
    std::unique_ptr<audio::Resampler> resampler;  // made when it is first needed: that takes time
  };

  absl::Status ReadMix(int64_t frames, std::vector<float>* out) {
    std::vector<double> sum;
    for (Input& input : inputs_) {
      std::vector<float> samples;
      UNBRAID_RETURN_IF_ERROR(ReadInput(&input, frames, &samples));
      sum.resize(samples.size());
      for (size_t i = 0; i < sum.size(); ++i)
        sum[i] += input.gain * static_cast<double>(samples[i]);
    }
    for (double sample : sum) out->push_back(static_cast<float>(sample));
    return absl::OkStatus();
  }

  absl::Status ReadInput(Input* input, int64_t frames, std::vector<float>* out) const {
    const int channels = plan_.pcm.channels();
    if (input->resampler == nullptr) {
      UNBRAID_ASSIGN_OR_RETURN(
          input->resampler,
          audio::Resampler::Create(plan_.model_rate_hz, plan_.pcm.sample_rate_hz(), channels,
                                   plan_.pcm.frames() - begin_));
    }
    if (frames == 0) return input->resampler->Finish(out);
    const int64_t bytes = frames * FrameBytes(plan_.pcm);
    std::vector<float> samples(static_cast<size_t>(frames * channels));
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got,
                             input->file.ReadAt(position_ * FrameBytes(plan_.pcm),
                                                reinterpret_cast<char*>(samples.data()), bytes));
    if (got != bytes) {
      return absl::DataLossError(
          absl::StrCat(input->file.path(), " is shorter than its record says"));
    }
    return input->resampler->Process(samples.data(), frames, out);
  }

  const FollowPlan plan_;
  const int64_t begin_;
  std::vector<Input> inputs_;
  int64_t position_;  // in the joined files
  bool finished_ = false;
};

class OutputSource : public StemSource {
 public:
  explicit OutputSource(const FollowPlan& plan) : plan_(plan) {}

  int64_t begin_frame() const override { return 0; }
  bool CanRead(int64_t) const override { return !finished_; }

  absl::Status Read(int64_t, std::vector<float>* out) override {
    if (decoder_ == nullptr) UNBRAID_RETURN_IF_ERROR(Open());
    std::vector<float> samples(static_cast<size_t>(kBlockFrames * plan_.pcm.channels()));
    UNBRAID_ASSIGN_OR_RETURN(const int64_t frames, decoder_->Read(samples.data(), kBlockFrames));
    finished_ = frames == 0;
    if (finished_) return resampler_->Finish(out);
    if (plan_.output_factor != 1) {
      for (float& sample : samples) sample *= plan_.output_factor;
    }
    return resampler_->Process(samples.data(), frames, out);
  }

 private:
  absl::Status Open() {
    absl::StatusOr<std::unique_ptr<audio::Decoder>> opened =
        audio::Decoder::Open(plan_.output_path);
    if (!opened.ok() && !store::FileSize(plan_.output_path).ok()) {
      return base::Error(absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
                         "The separation was deleted at this moment; create it again.");
    }
    UNBRAID_ASSIGN_OR_RETURN(decoder_, std::move(opened));
    if (decoder_->format().channels != plan_.pcm.channels()) {
      return absl::DataLossError(
          absl::StrCat(plan_.output_path, " has ", decoder_->format().channels, " channels"));
    }
    // Opus comes back at a rate of its own.
    UNBRAID_ASSIGN_OR_RETURN(
        resampler_, audio::Resampler::Create(decoder_->format().rate_hz, plan_.pcm.sample_rate_hz(),
                                             plan_.pcm.channels(), plan_.pcm.frames()));
    return absl::OkStatus();
  }

  const FollowPlan plan_;
  std::unique_ptr<audio::Decoder> decoder_;
  std::unique_ptr<audio::Resampler> resampler_;
  bool finished_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StemSource>> StemSource::OpenJoined(const FollowPlan& plan,
                                                                   int64_t first_frame) {
  const bool same_rate = plan.model_rate_hz == plan.pcm.sample_rate_hz();
  auto source = std::make_unique<JoinedSource>(plan, same_rate ? first_frame : 0);
  UNBRAID_RETURN_IF_ERROR(source->OpenFiles());
  return source;
}

std::unique_ptr<StemSource> StemSource::OfOutput(const FollowPlan& plan) {
  return std::make_unique<OutputSource>(plan);
}

}  // namespace unbraid::assembler
