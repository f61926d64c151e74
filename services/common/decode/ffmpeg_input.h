#ifndef UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_INPUT_H_
#define UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_INPUT_H_

extern "C" {
#include <libavformat/avformat.h>
}

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/common/audio/frame_source.h"

namespace unbraid::decode {

// FFmpeg's message for one of its error numbers.
std::string FfmpegError(int error);

// The status that an error of FFmpeg stands for: DATA_LOSS with its message, INVALID_ARGUMENT
// (DECODER_LIMIT) when memory is exhausted.
absl::Status FfmpegStatus(int error);

// A file as FFmpeg's demuxer for its container opens it. Nothing but the bytes of that one file is
// ever read: the demuxer is named and not guessed, so no playlist is followed; what a file refers
// to is not opened. Not thread-safe.
class FfmpegInput {
 public:
  struct Options {
    // For MP4: the media as a whole, without regard to its edit list.
    bool ignore_edits = false;
  };

  // NO_DECODER for a container without a demuxer, CORRUPT_AUDIO when it cannot be opened.
  static absl::StatusOr<std::unique_ptr<FfmpegInput>> Open(audio::SourceFile file,
                                                           const std::string& container,
                                                           const Options& options);
  ~FfmpegInput();
  FfmpegInput(const FfmpegInput&) = delete;
  FfmpegInput& operator=(const FfmpegInput&) = delete;

  AVFormatContext* context() const { return context_; }

 private:
  FfmpegInput(audio::SourceFile file, int64_t size) : file_(std::move(file)), size_(size) {}

  absl::Status OpenDemuxer(const std::string& container, const Options& options);
  static int Read(void* self, uint8_t* buffer, int count);
  static int64_t Seek(void* self, int64_t offset, int whence);

  const audio::SourceFile file_;
  const int64_t size_;
  int64_t position_ = 0;
  AVIOContext* io_ = nullptr;
  AVFormatContext* context_ = nullptr;
};

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_FFMPEG_INPUT_H_
