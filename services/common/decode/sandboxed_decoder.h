#ifndef UNBRAID_SERVICES_COMMON_DECODE_SANDBOXED_DECODER_H_
#define UNBRAID_SERVICES_COMMON_DECODE_SANDBOXED_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/audio/decoder.h"
#include "services/common/decode/confine.h"
#include "services/common/decode/decoder_process.h"
#include "services/common/decode/message_pipe.h"

namespace unbraid::decode {

struct SandboxOptions {
  // The program unbraid-decoder.
  std::string program;
  Limits limits;
  // The longest that the child may say nothing. A block of audio takes it milliseconds. Each second
  // of audio may have taken as much too: whoever is slower, with words now and then, is stuck.
  absl::Duration patience = absl::Seconds(30);
  // The longest that the child may be waited for in all; time in which nobody reads does not count.
  // To be several times the CPU time, for a machine that is busy.
  absl::Duration total_patience = absl::Minutes(20);
};

// Decodes one file in a child process that has no rights (see Confine), and checks whatever the
// child says: whatever a file does to a decoder ends this one file and nothing else.
//
// Errors: those of audio::Decoder; INVALID_ARGUMENT with CORRUPT_AUDIO when the decoder crashes on
// the file, and DECODER_LIMIT when it needs more time or memory than is allowed or hangs;
// UNAVAILABLE when something else than we killed it, which a decoder that a file has taken over can
// do itself: whoever tries again must count; INTERNAL when it cannot be started. Not thread-safe.
class SandboxedDecoder : public audio::AudioReader {
 public:
  static absl::StatusOr<std::unique_ptr<SandboxedDecoder>> Open(const std::string& path,
                                                                const audio::DecodeOptions& decode,
                                                                const SandboxOptions& sandbox);

  const audio::TrackFormat& format() const override { return format_; }
  const std::vector<audio::Speaker>& speakers() const override { return speakers_; }
  const audio::Tags& tags() const override { return tags_; }
  absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames) override;
  int64_t position() const override { return position_; }
  int64_t silenced_samples() const override { return silenced_samples_; }

 private:
  SandboxedDecoder(std::unique_ptr<DecoderProcess> process, const audio::DecodeOptions& decode,
                   const SandboxOptions& sandbox);

  // The next message; a failure that the child reports, or its death, is an error.
  absl::StatusOr<internal::v1::DecoderMessage> NextMessage();
  absl::Status TakeFormat(const internal::v1::DecodedFormat& format);
  absl::Status TakeSamples(std::string samples);
  absl::Status TakeEnd(const internal::v1::DecodedEnd& end);
  absl::Status FailureOf(const internal::v1::DecoderFailure& failure) const;
  absl::Status Death();
  // `left`: how long the last message could be waited for at most.
  absl::Status OutOfPatience(absl::Duration left) const;
  // How long may be waited in all for what has come so far.
  absl::Duration PatienceSoFar() const;
  absl::Status LimitReached(absl::string_view what) const;
  std::string Where() const;

  const audio::DecodeOptions decode_;
  const SandboxOptions sandbox_;
  const std::unique_ptr<DecoderProcess> process_;
  MessageReader messages_;
  audio::TrackFormat format_;
  std::vector<audio::Speaker> speakers_;
  audio::Tags tags_;
  std::string samples_;  // of the message in hand
  size_t taken_ = 0;     // bytes of it
  int64_t received_ = 0;
  absl::Duration waited_;  // for messages
  int64_t position_ = 0;
  int64_t silenced_samples_ = 0;
  bool ended_ = false;
  absl::Status failure_;  // once it has failed it stays so
};

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_SANDBOXED_DECODER_H_
