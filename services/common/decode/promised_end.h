#ifndef UNBRAID_SERVICES_COMMON_DECODE_PROMISED_END_H_
#define UNBRAID_SERVICES_COMMON_DECODE_PROMISED_END_H_

extern "C" {
#include <libavformat/avformat.h>
}

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "services/common/store/files.h"

namespace unbraid::decode {

// Finds out whether a file of a container with times (Matroska, Windows Media) was cut off: the
// library takes such a file for a whole one. What is compared are times and not frames, since a
// whole file may have gaps. Not thread-safe.
class PromisedEnd {
 public:
  // `context` has looked at its streams already. Nothing is promised where the container does not
  // say how long this stream is: in a recording of a broadcast, or beside a picture that may be
  // longer than the sound.
  PromisedEnd(const AVFormatContext& context, int stream, const store::File& file);

  // Each packet of the stream, in any order.
  void Note(const AVPacket& packet);

  // To be called behind the last packet. DATA_LOSS when they end more than a second too early.
  absl::Status CheckEnd() const;

 private:
  const AVRational time_base_;
  const std::optional<int64_t> promised_;  // both in microseconds
  int64_t reached_ = 0;
};

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_PROMISED_END_H_
