#include "bench/reference/song.h"

#include "services/common/audio/decoder.h"
#include "services/common/audio/downmix.h"
#include "services/common/audio/resampler.h"
#include "services/common/base/status.h"

namespace unbraid::reference {
namespace {

double SumAt(const std::vector<Song>& stems, size_t sample) {
  double sum = 0;
  for (const Song& stem : stems) sum += static_cast<double>(stem.samples[sample]);
  return sum;
}

}  // namespace

absl::StatusOr<Song> ReadSong(const std::string& path, SongFacts* facts) {
  constexpr int64_t kBlockFrames = 4096;
  UNBRAID_ASSIGN_OR_RETURN(const auto decoder, audio::Decoder::Open(path));
  const audio::TrackFormat& format = decoder->format();
  const audio::Downmix downmix(decoder->speakers());
  *facts = {format.sample_format, decoder->tags()};
  Song song = {format.rate_hz, downmix.out_channels(), {}};
  std::vector<float> block(static_cast<size_t>(kBlockFrames * format.channels));
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, decoder->Read(block.data(), kBlockFrames));
    if (got == 0) return song;
    downmix.Process(block.data(), got, &song.samples);
  }
}

absl::StatusOr<Song> Resample(const Song& song, int rate_hz, int64_t frames) {
  UNBRAID_ASSIGN_OR_RETURN(const auto resampler,
                           audio::Resampler::Create(song.rate_hz, rate_hz, song.channels, frames));
  Song resampled = {rate_hz, song.channels, {}};
  UNBRAID_RETURN_IF_ERROR(
      resampler->Process(song.samples.data(), song.frames(), &resampled.samples));
  UNBRAID_RETURN_IF_ERROR(resampler->Finish(&resampled.samples));
  return resampled;
}

Song Sum(const std::vector<Song>& stems) {
  Song sum = stems.front();
  for (size_t i = 0; i < sum.samples.size(); ++i)
    sum.samples[i] = static_cast<float>(SumAt(stems, i));
  return sum;
}

Song Mean(const std::vector<Song>& passes) {
  if (passes.size() == 1) return passes.front();
  Song mean = passes.front();
  for (size_t pass = 1; pass < passes.size(); ++pass) {
    for (size_t i = 0; i < mean.samples.size(); ++i) mean.samples[i] += passes[pass].samples[i];
  }
  for (float& sample : mean.samples) sample /= static_cast<float>(passes.size());
  return mean;
}

Song Residual(const Song& song, const std::vector<Song>& stems) {
  Song rest = song;
  for (size_t i = 0; i < rest.samples.size(); ++i) {
    rest.samples[i] = static_cast<float>(static_cast<double>(song.samples[i]) - SumAt(stems, i));
  }
  return rest;
}

}  // namespace unbraid::reference
