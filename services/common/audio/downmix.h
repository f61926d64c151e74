#ifndef UNBRAID_SERVICES_COMMON_AUDIO_DOWNMIX_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_DOWNMIX_H_

#include <cstdint>
#include <vector>

namespace unbraid::audio {

// Where a channel's speaker stands.
enum class Speaker {
  kLeft,
  kRight,
  kCentre,
  kLfe,
  kSurroundLeft,
  kSurroundRight,
  kSurroundCentre,
  kMono,  // no place: goes to both sides
};

// Speakers in the usual order of a file with `channels` channels (WAVE's order: 3 is L R C, 4 is L
// R Ls Rs, 5 is L R C Ls Rs, 6 is L R C LFE Ls Rs, 7 adds a rear centre, 8 is 7.1).
std::vector<Speaker> UsualSpeakers(int channels);

// Mixes more than two channels down to stereo by ITU-R BS.775: centre and surrounds at -3 dB, LFE
// dropped. One and two channels pass through bit for bit.
class Downmix {
 public:
  explicit Downmix(const std::vector<Speaker>& speakers);

  int out_channels() const { return out_channels_; }

  // Appends `frames` mixed frames to `out`.
  void Process(const float* interleaved, int64_t frames, std::vector<float>* out) const;

 private:
  int in_channels_;
  int out_channels_;
  std::vector<float> left_;  // a gain for each input channel
  std::vector<float> right_;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_DOWNMIX_H_
