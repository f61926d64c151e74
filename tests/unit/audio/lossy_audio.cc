#include "tests/unit/audio/lossy_audio.h"

#include <algorithm>
#include <cmath>

#include "services/common/base/status.h"
#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

constexpr int64_t kBlockFrames = 4'999;

}  // namespace

Audio Rumble(int64_t frames, int rate_hz, int channels) {
  Audio audio{rate_hz, channels, Noise(frames * channels, 0.6F)};
  std::vector<float> before(static_cast<size_t>(channels));
  for (size_t i = 0; i < audio.samples.size(); ++i) {
    float& held = before[i % static_cast<size_t>(channels)];
    held += 0.15F * (audio.samples[i] - held);
    audio.samples[i] = held;
  }
  return audio;
}

OutputFormat Resolved(OutputFormat wanted, const Audio& audio) {
  return ResolveOutput(wanted, {SampleFormat::kF32, audio.rate_hz, audio.channels, audio.frames()})
      .value();
}

absl::Status Encode(const std::string& path, const OutputFormat& wanted, const Audio& audio,
                    const OutputTags& tags) {
  UNBRAID_ASSIGN_OR_RETURN(const auto encoder,
                           Encoder::Create(path, Resolved(wanted, audio), audio.rate_hz,
                                           audio.channels, audio.frames(), tags));
  for (int64_t at = 0; at < audio.frames(); at += kBlockFrames) {
    UNBRAID_RETURN_IF_ERROR(encoder->Write(audio.samples.data() + at * audio.channels,
                                           std::min(kBlockFrames, audio.frames() - at), 1));
  }
  return encoder->Finish();
}

std::vector<double> Channel(const std::vector<float>& samples, int channels, int channel,
                            size_t most) {
  std::vector<double> plane;
  for (size_t i = static_cast<size_t>(channel); i < samples.size() && plane.size() < most;
       i += static_cast<size_t>(channels)) {
    plane.push_back(samples[i]);
  }
  return plane;
}

int Lag(const std::vector<double>& wanted, const std::vector<double>& got) {
  constexpr int kMost = 1'300;
  const auto size = static_cast<int>(std::min(wanted.size(), got.size()));
  int best = 0;
  double highest = 0;
  for (int lag = -kMost; lag <= kMost; ++lag) {
    double sum = 0;
    for (int i = std::max(0, -lag); i < size - std::max(0, lag); ++i) {
      sum += wanted[static_cast<size_t>(i)] * got[static_cast<size_t>(i + lag)];
    }
    if (sum > highest) {
      highest = sum;
      best = lag;
    }
  }
  return best;
}

double SnrDb(const std::vector<float>& wanted, const std::vector<float>& got) {
  double signal = 0;
  double error = 0;
  for (size_t i = 0; i < std::min(wanted.size(), got.size()); ++i) {
    const double difference = static_cast<double>(got[i]) - wanted[i];
    signal += static_cast<double>(wanted[i]) * wanted[i];
    error += difference * difference;
  }
  return 10 * std::log10(signal / error);
}

}  // namespace unbraid::audio
