#ifndef UNBRAID_SERVICES_COMMON_AUDIO_DECODER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/audio/downmix.h"
#include "services/common/audio/format.h"

namespace unbraid::audio {

class FrameSource;

// Reads one file in blocks; memory does not depend on its length. Not thread-safe.
//
// Errors are INVALID_ARGUMENT with the reasons of SniffFile and: CORRUPT_AUDIO (with the position),
// NO_DECODER (a known container with another codec inside), UNSUPPORTED_AUDIO (channels or rate out
// of range, or changing; several recordings in one file), NON_FINITE_SAMPLE (with its time).
class Decoder {
 public:
  static absl::StatusOr<std::unique_ptr<Decoder>> Open(const std::string& path);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  const TrackFormat& format() const;

  // Where each channel's speaker stands, by the file's channel map or by custom.
  const std::vector<Speaker>& speakers() const;

  // Reads up to `frames` interleaved frames, full scale ±1.0; 0 at the end. A file that is cut off
  // or damaged is CORRUPT_AUDIO. In a file of plain samples (WAV, RF64, W64, AIFF, AU) that is not
  // told from a wrong length field: it is read to its true end. An MP3 without a header that tells
  // its length ends where its frames end.
  absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames);

  // Frames read so far.
  int64_t position() const { return position_; }

 private:
  explicit Decoder(std::unique_ptr<FrameSource> source);

  absl::Status CheckFinite(const float* interleaved, int64_t frames) const;
  absl::Status AtEnd() const;
  std::string PositionText(int64_t frame) const;

  const std::unique_ptr<FrameSource> source_;
  int64_t position_ = 0;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_DECODER_H_
