#ifndef UNBRAID_TESTS_UNIT_AUDIO_FILES_H_
#define UNBRAID_TESTS_UNIT_AUDIO_FILES_H_

#include <sndfile.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/common/audio/format.h"
#include "tests/support/temp_dir.h"

namespace unbraid::audio {

// Repeatable noise in [-amplitude, amplitude), interleaved or not: `count` samples.
std::vector<float> Noise(int64_t count, float amplitude = 0.5F, uint32_t seed = 1);

// `frames` frames of a sine, the same in all channels.
std::vector<float> Sine(int64_t frames, int channels, double frequency_hz, int rate_hz,
                        double amplitude = 0.5);

// Values that are exact in signed integers of `bits` bits, extremes included.
std::vector<float> ExactIntegers(int64_t count, int bits);

std::string ReadBytes(const std::string& path);
void WriteBytes(const std::string& path, absl::string_view bytes);

// Overwrites bytes in the middle.
std::string Patched(std::string bytes, size_t at, absl::string_view with);

// Little-endian bytes of a number.
std::string Le32(uint32_t value);

// A folder whose files are written by libsndfile itself, not by what is tested.
class AudioFolder {
 public:
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }

  // `format` as SF_INFO has it. An empty `map` sets none.
  std::string Write(const std::string& name, int format, int rate_hz, int channels,
                    const std::vector<float>& samples, const std::vector<int>& map = {}) const;

  // A file of these bytes.
  std::string Write(const std::string& name, absl::string_view bytes) const;

 private:
  test_support::TempDir folder_;
};

struct Decoded {
  TrackFormat format;
  std::vector<float> samples;

  int64_t frames() const { return static_cast<int64_t>(samples.size()) / format.channels; }
};

// Everything that Decoder gives, in blocks of an odd size.
absl::StatusOr<Decoded> DecodeAll(const std::string& path);

// What libsndfile gives in one go.
std::vector<float> SndfileDecode(const std::string& path);

// "" when the samples are equal, else where they first differ: a song in a test's output helps
// nobody.
std::string Difference(const std::vector<float>& got, const std::vector<float>& wanted);

// Reason and message of a failure that must be INVALID_ARGUMENT; "OK" for success.
std::string Refusal(const absl::Status& status);

}  // namespace unbraid::audio

#endif  // UNBRAID_TESTS_UNIT_AUDIO_FILES_H_
