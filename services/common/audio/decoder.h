#ifndef UNBRAID_SERVICES_COMMON_AUDIO_DECODER_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_DECODER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/audio/downmix.h"
#include "services/common/audio/format.h"
#include "services/common/store/files.h"

namespace unbraid::audio {

class FrameSource;

// Audio as a stream of frames; memory does not depend on its length. Not thread-safe.
class AudioReader {
 public:
  virtual ~AudioReader() = default;

  virtual const TrackFormat& format() const = 0;

  // Where each channel's speaker stands, by the file's channel map or by custom.
  virtual const std::vector<Speaker>& speakers() const = 0;

  virtual const Tags& tags() const = 0;

  // Reads up to `frames` interleaved frames, full scale ±1.0, all of them finite; 0 at the end.
  virtual absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames) = 0;

  // Frames read so far.
  virtual int64_t position() const = 0;

  // Samples read so far that were no numbers and were given as 0.0.
  virtual int64_t silenced_samples() const = 0;
};

struct DecodeOptions {
  // Gives samples that are no numbers (NaN, infinite) as 0.0 instead of refusing the file.
  bool silence_non_finite = false;
  // Longer tracks are refused as soon as that is known.
  absl::Duration max_duration = absl::InfiniteDuration();
};

// Opens a file that this library does not read itself (see Sniffed::foreign).
using ForeignDecoder = std::function<absl::StatusOr<std::unique_ptr<FrameSource>>(
    std::shared_ptr<const store::File> file, const std::string& container)>;

// Decodes one file in this process.
//
// Errors are INVALID_ARGUMENT with the reasons of SniffFile and: CORRUPT_AUDIO (with the position),
// NO_DECODER (nothing here decodes what is inside), UNSUPPORTED_AUDIO (channels or rate out of
// range, or changing; several recordings in one file), NON_FINITE_SAMPLE (with its time); and
// RESOURCE_EXHAUSTED: TOO_LONG (with the limit in minutes).
class Decoder : public AudioReader {
 public:
  // An empty `foreign` means that there is no other decoder.
  static absl::StatusOr<std::unique_ptr<Decoder>> Open(store::File file,
                                                       const DecodeOptions& options,
                                                       const ForeignDecoder& foreign);
  static absl::StatusOr<std::unique_ptr<Decoder>> Open(const std::string& path);
  ~Decoder() override;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  const TrackFormat& format() const override;
  const std::vector<Speaker>& speakers() const override;
  const Tags& tags() const override;

  // A file that is cut off or damaged is CORRUPT_AUDIO. In a file of plain samples (WAV, RF64, W64,
  // AIFF, AU) that is not told from a wrong length field: it is read to its true end. What has
  // neither a length nor an end mark ends where its frames end, cut off or not: an MP3 without a
  // header that tells its length, raw streams (AAC in ADTS, AC-3, MPEG and its transport streams,
  // AMR), an Ogg file between two pages, and the sound of a Matroska or Windows Media video that
  // does not tell the sound's own length.
  absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames) override;

  int64_t position() const override { return position_; }
  int64_t silenced_samples() const override { return silenced_samples_; }

 private:
  Decoder(std::unique_ptr<FrameSource> source, const DecodeOptions& options);

  absl::Status CheckLength() const;
  absl::Status CheckFinite(float* interleaved, int64_t frames);
  absl::Status AtEnd() const;
  std::string PositionText(int64_t frame) const;

  const std::unique_ptr<FrameSource> source_;
  const DecodeOptions options_;
  int64_t position_ = 0;
  int64_t silenced_samples_ = 0;
};

// How a program opens files that it did not write.
using OpenAudio = std::function<absl::StatusOr<std::unique_ptr<AudioReader>>(
    const std::string& path, const DecodeOptions& options)>;

// Opens a file in this process: for files of one's own, and for tests.
absl::StatusOr<std::unique_ptr<AudioReader>> OpenInProcess(const std::string& path,
                                                           const DecodeOptions& options);

// RESOURCE_EXHAUSTED (TOO_LONG).
absl::Status TrackTooLong(absl::Duration limit);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_DECODER_H_
