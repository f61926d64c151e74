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

// Reads one file in blocks; memory does not depend on its length. Not thread-safe.
//
// Errors are INVALID_ARGUMENT with the reasons of SniffFile and: CORRUPT_AUDIO (with the position),
// UNSUPPORTED_AUDIO (channels or rate out of range), NON_FINITE_SAMPLE (with its time).
class Decoder {
 public:
  static absl::StatusOr<std::unique_ptr<Decoder>> Open(const std::string& path);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  const TrackFormat& format() const { return format_; }

  // Where each channel's speaker stands, by the file's channel map or by custom.
  const std::vector<Speaker>& speakers() const { return speakers_; }

  // Reads up to `frames` interleaved frames, full scale ±1.0; 0 at the end. A file that ends before
  // the number of frames that its header promises is CORRUPT_AUDIO; a WAV whose length field is
  // wrong is read to its true end.
  absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames);

  // Frames read so far.
  int64_t position() const { return position_; }

 private:
  struct Handle;
  explicit Decoder(std::unique_ptr<Handle> handle);

  absl::Status CheckFinite(const float* interleaved, int64_t frames) const;
  absl::Status AtEnd();
  std::string PositionText(int64_t frame) const;

  const std::unique_ptr<Handle> handle_;
  TrackFormat format_;
  std::vector<Speaker> speakers_;
  int64_t promised_frames_ = -1;  // -1: the header does not say, or is not to be trusted
  int64_t position_ = 0;
};

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_DECODER_H_
