#ifndef UNBRAID_BENCH_REFERENCE_SONG_H_
#define UNBRAID_BENCH_REFERENCE_SONG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/audio/format.h"

namespace unbraid::reference {

// A whole song, or a whole stem of it, in memory.
struct Song {
  int rate_hz = 0;
  int channels = 0;
  std::vector<float> samples;  // interleaved

  int64_t frames() const { return static_cast<int64_t>(samples.size()) / channels; }
};

// What else a file says of its song.
struct SongFacts {
  audio::SampleFormat sample_format = audio::SampleFormat::kF32;
  audio::Tags tags;
};

// Decodes a file and mixes more than two channels down.
absl::StatusOr<Song> ReadSong(const std::string& path, SongFacts* facts);

// The song at another rate, in exactly so many frames.
absl::StatusOr<Song> Resample(const Song& song, int rate_hz, int64_t frames);

// The sum of stems of one shape, added in double and rounded once.
Song Sum(const std::vector<Song>& stems);

// The mean of passes of one shape, each added to those before it in float.
Song Mean(const std::vector<Song>& passes);

// What the stems leave of the song.
Song Residual(const Song& song, const std::vector<Song>& stems);

}  // namespace unbraid::reference

#endif  // UNBRAID_BENCH_REFERENCE_SONG_H_
