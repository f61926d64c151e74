#ifndef UNBRAID_SERVICES_COMMON_AUDIO_ENCODER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_ENCODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/audio/format.h"

namespace unbraid::audio {

// Writes one file in blocks. Equal input gives equal bytes: nothing in the file depends on the
// time. Integers are round(x * 2^(bits-1)), clamped, so that what was decoded from integers comes
// back as the same integers. Not thread-safe.
class Encoder {
 public:
  // `frames` decides between RIFF and RF64. `format` is a resolved one. Errors of all functions:
  // RESOURCE_EXHAUSTED (DISK_FULL), INTERNAL. No file stays after a failed Create.
  static absl::StatusOr<std::unique_ptr<Encoder>> Create(const std::string& path,
                                                         OutputFormat format, int rate_hz,
                                                         int channels, int64_t frames);
  // Removes the file unless Finish() succeeded.
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // Writes interleaved frames, each sample times `gain`.
  absl::Status Write(const float* interleaved, int64_t frames, float gain);

  // Completes the file, makes it safe on the disk, opens it again, compares its frame count with
  // what was written and reads its last frame. DATA_LOSS when that fails.
  absl::Status Finish();

 private:
  struct Handle;
  Encoder(std::string path, std::unique_ptr<Handle> handle, OutputFormat format, int channels);

  absl::Status WriteIntegers(const float* interleaved, int64_t frames, float gain);
  absl::Status WriteFloats(const float* interleaved, int64_t frames, float gain);
  absl::Status CheckWritten(int64_t written, int64_t wanted);
  absl::Status CheckFile() const;

  const std::string path_;
  std::unique_ptr<Handle> handle_;
  const OutputFormat format_;
  const int channels_;
  int64_t written_ = 0;
  bool finished_ = false;
  std::vector<int> integers_;
  std::vector<float> floats_;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_ENCODER_H_
