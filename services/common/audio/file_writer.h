#ifndef UNBRAID_SERVICES_COMMON_AUDIO_FILE_WRITER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_FILE_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/audio/format.h"
#include "services/common/audio/tags.h"

namespace unbraid::audio {

// What a file is to be. The format is a resolved one; rate, channels and frames are those of what
// goes in.
struct FileSpec {
  OutputFormat format;
  int rate_hz = 0;
  int channels = 0;
  int64_t frames = 0;
  OutputTags tags;
};

// Inner side of the encoder: one file as one library writes it, in blocks. Equal input gives equal
// bytes. Whoever opens one removes the file if it is not completed. Not thread-safe. Errors:
// RESOURCE_EXHAUSTED (DISK_FULL), INTERNAL.
class FileWriter {
 public:
  virtual ~FileWriter() = default;

  // Interleaved frames, full scale ±1.0; where the format has no integers.
  virtual absl::Status WriteFloats(const float* interleaved, int64_t frames) = 0;

  // Interleaved frames, in the upper bits of an int; where the format has integers.
  virtual absl::Status WriteIntegers(const int* interleaved, int64_t frames) = 0;

  // Writes what is still held back. Once, and last.
  virtual absl::Status Close() = 0;
};

// A writer of lossy audio, which has no integers.
class LossyWriter : public FileWriter {
 public:
  absl::Status WriteIntegers(const int*, int64_t) final {
    return absl::InternalError("lossy formats are written from floats");
  }
};

// WAV (RF64 above 4 GB), FLAC and AIFF, by libsndfile.
absl::StatusOr<std::unique_ptr<FileWriter>> OpenSndfileWriter(const std::string& path,
                                                              const FileSpec& spec);

// Ogg Vorbis, by libvorbis.
absl::StatusOr<std::unique_ptr<FileWriter>> OpenVorbisWriter(const std::string& path,
                                                             const FileSpec& spec);

// Ogg Opus, by libopusenc; resamples to 48 kHz, and keeps the original rate in the header.
absl::StatusOr<std::unique_ptr<FileWriter>> OpenOpusWriter(const std::string& path,
                                                           const FileSpec& spec);

// MP3, by LAME, with a header that tells the encoder's delay.
absl::StatusOr<std::unique_ptr<FileWriter>> OpenMp3Writer(const std::string& path,
                                                          const FileSpec& spec);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_FILE_WRITER_H_
