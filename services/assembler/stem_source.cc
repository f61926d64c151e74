#include "services/assembler/stem_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "services/assembler/joined_stem.h"
#include "services/common/audio/decoder.h"
#include "services/common/audio/resampler.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

// As PCM in stereo it is as large as the largest part of an answer.
constexpr int64_t kBlockFrames = 32'768;

JoinedShape ShapeOf(const FollowPlan& plan) {
  return {plan.model_rate_hz, plan.pcm.sample_rate_hz(), plan.pcm.channels(), plan.pcm.frames()};
}

class JoinedSource : public StemSource {
 public:
  JoinedSource(const FollowPlan& plan, int64_t begin)
      : plan_(plan), shape_(ShapeOf(plan)), begin_(begin), position_(begin), given_(begin) {}

  absl::Status OpenFiles() {
    for (const FollowPlan::Part& part : plan_.parts) {
      UNBRAID_ASSIGN_OR_RETURN(JoinedStem stem, JoinedStem::Open(part.path, shape_, begin_));
      stems_.push_back(std::move(stem));
      gains_.push_back(part.gain);
    }
    return absl::OkStatus();
  }

  int64_t begin_frame() const override { return begin_; }

  bool CanRead(int64_t joined_frames) const override {
    return position_ < joined_frames || (position_ == plan_.model_frames && !finished_);
  }

  absl::Status Read(int64_t joined_frames, std::vector<float>* out) override {
    const int64_t frames = std::min(kBlockFrames, joined_frames - position_);
    const size_t before = out->size();
    UNBRAID_RETURN_IF_ERROR(plan_.is_mix ? ReadMix(frames, out) : stems_.front().Read(frames, out));
    const auto block = absl::MakeConstSpan(*out).subspan(before);
    UNBRAID_RETURN_IF_ERROR(CheckOutput(block, plan_.is_mix ? "mix" : "stem", shape_, given_));
    given_ += static_cast<int64_t>(block.size()) / shape_.channels;
    position_ += frames;
    finished_ = frames == 0;
    return absl::OkStatus();
  }

 private:
  absl::Status ReadMix(int64_t frames, std::vector<float>* out) {
    std::vector<std::vector<float>> blocks(stems_.size());
    for (size_t i = 0; i < stems_.size(); ++i)
      UNBRAID_RETURN_IF_ERROR(stems_[i].Read(frames, &blocks[i]));
    std::vector<float> mix;
    MixStems(blocks, gains_, &mix);
    out->insert(out->end(), mix.begin(), mix.end());
    return absl::OkStatus();
  }

  const FollowPlan plan_;
  const JoinedShape shape_;
  const int64_t begin_;
  std::vector<JoinedStem> stems_;
  std::vector<double> gains_;
  int64_t position_;  // in the joined files
  int64_t given_;     // in the stem
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
    if (plan_.output_factor != 1) {
      for (float& sample : samples) sample *= plan_.output_factor;
    }
    const size_t before = out->size();
    UNBRAID_RETURN_IF_ERROR(finished_ ? resampler_->Finish(out)
                                      : resampler_->Process(samples.data(), frames, out));
    const auto block = absl::MakeConstSpan(*out).subspan(before);
    UNBRAID_RETURN_IF_ERROR(CheckOutput(block, "stem", ShapeOf(plan_), given_));
    given_ += static_cast<int64_t>(block.size()) / plan_.pcm.channels();
    return absl::OkStatus();
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
  int64_t given_ = 0;  // in the stem
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
