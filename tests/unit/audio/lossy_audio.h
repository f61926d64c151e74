#ifndef UNBRAID_TESTS_UNIT_AUDIO_LOSSY_AUDIO_H_
#define UNBRAID_TESTS_UNIT_AUDIO_LOSSY_AUDIO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/common/audio/encoder.h"

namespace unbraid::audio {

struct Audio {
  int rate_hz;
  int channels;
  std::vector<float> samples;

  int64_t frames() const { return static_cast<int64_t>(samples.size()) / channels; }
};

// Noise that falls off towards high frequencies, as music does; channels differ.
Audio Rumble(int64_t frames, int rate_hz, int channels);

// What becomes of a wanted format for this audio.
OutputFormat Resolved(OutputFormat wanted, const Audio& audio);

// Writes a file in blocks of an odd size.
absl::Status Encode(const std::string& path, const OutputFormat& wanted, const Audio& audio,
                    const OutputTags& tags = {});

std::vector<double> Channel(const std::vector<float>& samples, int channels, int channel,
                            size_t most);

// By how many frames `got` is late, by the highest correlation.
int Lag(const std::vector<double>& wanted, const std::vector<double>& got);

// How far the difference lies below what is wanted.
double SnrDb(const std::vector<float>& wanted, const std::vector<float>& got);

}  // namespace unbraid::audio

#endif  // UNBRAID_TESTS_UNIT_AUDIO_LOSSY_AUDIO_H_
