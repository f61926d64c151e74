#ifndef UNBRAID_SERVICES_COMMON_AUDIO_ENCODER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_ENCODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/audio/format.h"
#include "services/common/audio/sample_shaper.h"
#include "services/common/audio/tags.h"
#include "services/common/store/files.h"

namespace unbraid::audio {

class FileWriter;

// Writes one file in blocks. Equal input gives equal bytes: nothing in the file depends on the time
// or on chance. Decoded, the file has its first frame where the input had it, and as many frames
// (see OutputFormat::Frames). Not thread-safe.
class Encoder {
 public:
  // `format` is a resolved one. `frames` are those to come, by which containers are chosen and
  // rates are changed. Errors of all functions: RESOURCE_EXHAUSTED (DISK_FULL), INTERNAL. No file
  // stays after a failed Create.
  static absl::StatusOr<std::unique_ptr<Encoder>> Create(const std::string& path,
                                                         const OutputFormat& format, int rate_hz,
                                                         int channels, int64_t frames,
                                                         const OutputTags& tags = {});
  // Removes the file unless Finish() succeeded.
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // Writes interleaved frames, each sample times `gain`.
  absl::Status Write(const float* interleaved, int64_t frames, float gain);

  // Completes the file, makes it safe on the disk, opens it again, compares its frame count with
  // what was written and reads its last frame, or all of them in a lossy format. DATA_LOSS when
  // that fails.
  absl::Status Finish();

  // Samples so far that were beyond full scale and were limited to it.
  int64_t limited_samples() const { return shaper_.limited(); }

 private:
  Encoder(std::string path, store::File file, std::unique_ptr<FileWriter> writer,
          const OutputFormat& format, int rate_hz, int channels, uint64_t dither_seed);

  absl::StatusOr<int64_t> CountPcmFrames() const;

  const std::string path_;
  store::File file_;                    // what the writer writes to, to make it safe
  std::unique_ptr<FileWriter> writer_;  // null once it is closed
  const OutputFormat format_;
  const int rate_hz_;
  const int channels_;
  SampleShaper shaper_;
  int64_t written_ = 0;
  bool finished_ = false;
  std::vector<int> integers_;
  std::vector<float> floats_;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_ENCODER_H_
