#include "services/common/audio/downmix.h"

#include "services/common/audio/format.h"

namespace unbraid::audio {
namespace {

constexpr float kMinus3Db = 0.70710678F;

struct Gains {
  float left;
  float right;
};

Gains GainsOf(Speaker speaker) {
  switch (speaker) {
    case Speaker::kLeft:
      return {1, 0};
    case Speaker::kRight:
      return {0, 1};
    case Speaker::kLfe:
      return {0, 0};
    case Speaker::kSurroundLeft:
      return {kMinus3Db, 0};
    case Speaker::kSurroundRight:
      return {0, kMinus3Db};
    case Speaker::kSurroundCentre:
      return {kMinus3Db * kMinus3Db, kMinus3Db * kMinus3Db};
    case Speaker::kCentre:
    case Speaker::kMono:
      return {kMinus3Db, kMinus3Db};
  }
  return {0, 0};
}

}  // namespace

std::vector<Speaker> UsualSpeakers(int channels) {
  using S = Speaker;
  switch (channels) {
    case 1:
      return {S::kMono};
    case 2:
      return {S::kLeft, S::kRight};
    case 3:
      return {S::kLeft, S::kRight, S::kCentre};
    case 4:
      return {S::kLeft, S::kRight, S::kSurroundLeft, S::kSurroundRight};
    case 5:
      return {S::kLeft, S::kRight, S::kCentre, S::kSurroundLeft, S::kSurroundRight};
    case 6:
      return {S::kLeft, S::kRight, S::kCentre, S::kLfe, S::kSurroundLeft, S::kSurroundRight};
    case 7:
      return {S::kLeft,           S::kRight,        S::kCentre,       S::kLfe,
              S::kSurroundCentre, S::kSurroundLeft, S::kSurroundRight};
    default:
      return {S::kLeft,         S::kRight,         S::kCentre,       S::kLfe,
              S::kSurroundLeft, S::kSurroundRight, S::kSurroundLeft, S::kSurroundRight};
  }
}

Downmix::Downmix(const std::vector<Speaker>& speakers)
    : in_channels_(static_cast<int>(speakers.size())), out_channels_(StemChannels(in_channels_)) {
  for (Speaker speaker : speakers) {
    left_.push_back(GainsOf(speaker).left);
    right_.push_back(GainsOf(speaker).right);
  }
}

void Downmix::Process(const float* interleaved, int64_t frames, std::vector<float>* out) const {
  if (in_channels_ <= 2) {
    out->insert(out->end(), interleaved, interleaved + frames * in_channels_);
    return;
  }
  for (int64_t i = 0; i < frames; ++i) {
    float left = 0;
    float right = 0;
    for (int c = 0; c < in_channels_; ++c) {
      const float sample = interleaved[i * in_channels_ + c];
      left += left_[static_cast<size_t>(c)] * sample;
      right += right_[static_cast<size_t>(c)] * sample;
    }
    out->push_back(left);
    out->push_back(right);
  }
}

}  // namespace unbraid::audio
