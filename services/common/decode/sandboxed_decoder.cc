#include "services/common/decode/sandboxed_decoder.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/common/audio/frame_source.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/base/utf8.h"

namespace unbraid::decode {
namespace {

using internal::v1::DecoderMessage;

constexpr char kLimitReason[] = "DECODER_LIMIT";

std::vector<std::string> Arguments(const audio::DecodeOptions& decode,
                                   const SandboxOptions& sandbox) {
  std::vector<std::string> arguments = {
      sandbox.program, absl::StrCat("--memory-bytes=", sandbox.limits.memory_bytes),
      absl::StrCat("--cpu-seconds=", absl::ToInt64Seconds(sandbox.limits.cpu_time))};
  if (decode.max_duration != absl::InfiniteDuration()) {
    arguments.push_back(
        absl::StrFormat("--max-seconds=%.17g", absl::ToDoubleSeconds(decode.max_duration)));
  }
  if (decode.silence_non_finite) arguments.emplace_back("--silence-non-finite");
  return arguments;
}

// What the decoder may refuse a file for, all INVALID_ARGUMENT.
bool IsRefusal(absl::string_view reason) {
  constexpr std::array<absl::string_view, 7> kReasons = {
      "CORRUPT_AUDIO", "DECODER_LIMIT",     "EMPTY_FILE",    "NON_FINITE_SAMPLE",
      "NO_DECODER",    "UNSUPPORTED_AUDIO", "UNKNOWN_FORMAT"};
  return std::find(kReasons.begin(), kReasons.end(), reason) != kReasons.end();
}

// Only a decoder that is out of its mind says such things.
absl::Status Nonsense(absl::string_view what) {
  return audio::CorruptAudio(absl::StrCat("The decoder went wrong on this file (", what, ")."));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SandboxedDecoder>> SandboxedDecoder::Open(
    const std::string& path, const audio::DecodeOptions& decode, const SandboxOptions& sandbox) {
  UNBRAID_ASSIGN_OR_RETURN(const store::File file,
                           store::File::Open(path, store::File::Mode::kRead));
  UNBRAID_ASSIGN_OR_RETURN(auto process,
                           DecoderProcess::Start(Arguments(decode, sandbox), file.descriptor()));
  std::unique_ptr<SandboxedDecoder> decoder(
      new SandboxedDecoder(std::move(process), decode, sandbox));
  UNBRAID_ASSIGN_OR_RETURN(const DecoderMessage first, decoder->NextMessage());
  if (!first.has_format()) return Nonsense("no format");
  UNBRAID_RETURN_IF_ERROR(decoder->TakeFormat(first.format()));
  return decoder;
}

SandboxedDecoder::SandboxedDecoder(std::unique_ptr<DecoderProcess> process,
                                   const audio::DecodeOptions& decode,
                                   const SandboxOptions& sandbox)
    : decode_(decode),
      sandbox_(sandbox),
      process_(std::move(process)),
      messages_(process_->TakePipe(), sandbox.patience) {}

absl::Status SandboxedDecoder::TakeFormat(const internal::v1::DecodedFormat& format) {
  const int channels = format.speakers_size();
  if (channels < 1 || channels > audio::kMaxChannels || format.rate_hz() < audio::kMinRateHz ||
      format.rate_hz() > audio::kMaxRateHz ||
      format.sample_format() <= static_cast<int>(audio::SampleFormat::kSource) ||
      format.sample_format() > static_cast<int>(audio::SampleFormat::kF64)) {
    return Nonsense("format");
  }
  for (const int speaker : format.speakers()) {
    if (speaker < 0 || speaker > static_cast<int>(audio::Speaker::kMono))
      return Nonsense("speaker");
    speakers_.push_back(static_cast<audio::Speaker>(speaker));
  }
  constexpr size_t kMaxWord = 32;
  format_ = {base::ToLabel(format.container(), kMaxWord), base::ToLabel(format.codec(), kMaxWord),
             static_cast<audio::SampleFormat>(format.sample_format()), format.rate_hz(), channels};
  tags_ = {audio::CleanTag(format.title().c_str()), audio::CleanTag(format.artist().c_str()),
           audio::CleanTag(format.album().c_str())};
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SandboxedDecoder::Read(float* interleaved, int64_t frames) {
  const size_t frame_bytes = static_cast<size_t>(format_.channels) * sizeof(float);
  const size_t wanted = static_cast<size_t>(frames) * frame_bytes;
  size_t got = 0;
  while (got < wanted && !ended_ && failure_.ok()) {
    if (taken_ == samples_.size()) {
      absl::StatusOr<DecoderMessage> message = NextMessage();
      failure_ = message.status();
      if (!failure_.ok()) break;
      failure_ = message->has_samples() ? TakeSamples(std::move(*message->mutable_samples()))
                 : message->has_end()   ? TakeEnd(message->end())
                                        : Nonsense("order");
      continue;
    }
    const size_t count = std::min(wanted - got, samples_.size() - taken_);
    std::memcpy(reinterpret_cast<char*>(interleaved) + got, samples_.data() + taken_, count);
    taken_ += count;
    got += count;
  }
  // What came before a failure counts; the failure is for the next call.
  if (got == 0 && !failure_.ok()) return failure_;
  position_ += static_cast<int64_t>(got / frame_bytes);
  return static_cast<int64_t>(got / frame_bytes);
}

absl::Status SandboxedDecoder::TakeSamples(std::string samples) {
  const size_t frame_bytes = static_cast<size_t>(format_.channels) * sizeof(float);
  if (samples.empty() || samples.size() % frame_bytes != 0) return Nonsense("samples");
  samples_ = std::move(samples);
  taken_ = 0;
  // What a string holds in memory of its own may be looked at as floats.
  if (!audio::AllFinite(reinterpret_cast<const float*>(samples_.data()),
                        static_cast<int64_t>(samples_.size() / sizeof(float)))) {
    return Nonsense("samples");
  }
  received_ += static_cast<int64_t>(samples_.size() / frame_bytes);
  const double limit = absl::ToDoubleSeconds(decode_.max_duration) * format_.rate_hz;
  if (static_cast<double>(received_) > limit) return audio::TrackTooLong(decode_.max_duration);
  return absl::OkStatus();
}

absl::Status SandboxedDecoder::TakeEnd(const internal::v1::DecodedEnd& end) {
  if (end.frames() != received_ || end.silenced_samples() < 0 ||
      end.silenced_samples() > received_ * format_.channels) {
    return Nonsense("end");
  }
  silenced_samples_ = end.silenced_samples();
  ended_ = true;
  return absl::OkStatus();
}

absl::StatusOr<DecoderMessage> SandboxedDecoder::NextMessage() {
  const absl::Time begun = base::SteadyNow();
  const absl::Duration left = PatienceSoFar() - waited_;
  absl::StatusOr<std::optional<DecoderMessage>> message = messages_.Next(left);
  waited_ += base::SteadyNow() - begun;
  if (absl::IsDeadlineExceeded(message.status())) return OutOfPatience(left);
  if (absl::IsDataLoss(message.status())) return Nonsense("message");
  UNBRAID_RETURN_IF_ERROR(message.status());
  if (!message->has_value()) return Death();
  if ((*message)->has_failure()) return FailureOf((*message)->failure());
  return **std::move(message);
}

absl::Duration SandboxedDecoder::PatienceSoFar() const {
  // Twice: for its start, and for the first second.
  constexpr double kAhead = 2;
  const double seconds =
      format_.rate_hz == 0 ? 0 : static_cast<double>(received_) / format_.rate_hz;
  return std::min(sandbox_.total_patience, sandbox_.patience * (kAhead + seconds));
}

absl::Status SandboxedDecoder::OutOfPatience(absl::Duration left) const {
  if (left >= sandbox_.patience) {
    return LimitReached(absl::StrCat("gave nothing for ", absl::FormatDuration(sandbox_.patience)));
  }
  return LimitReached(absl::StrCat("was too slow: it has been waited for for ",
                                   absl::FormatDuration(absl::Trunc(waited_, absl::Seconds(1)))));
}

absl::Status SandboxedDecoder::FailureOf(const internal::v1::DecoderFailure& failure) const {
  if (failure.reason() == "TOO_LONG") return audio::TrackTooLong(decode_.max_duration);
  // It goes to users, and through headers that hold a few kB.
  constexpr size_t kMaxMessage = 512;
  const std::string message = base::ToLabel(failure.message(), kMaxMessage);
  if (failure.code() != static_cast<int>(absl::StatusCode::kInvalidArgument)) {
    return absl::InternalError(absl::StrCat("the decoder failed: ", message));
  }
  if (!IsRefusal(failure.reason()) || message.empty()) return Nonsense("failure");
  return base::Error(absl::StatusCode::kInvalidArgument, failure.reason(), message);
}

absl::Status SandboxedDecoder::Death() {
  // It has closed the pipe, which is the last that it does.
  const DecoderProcess::End end =
      process_->WaitOrKill(std::min(sandbox_.patience, absl::Seconds(10)));
  if (end.killed) return LimitReached("came to no end");
  if (!WIFSIGNALED(end.state)) {
    return absl::InternalError(absl::StrCat("the decoder ended with status ",
                                            WEXITSTATUS(end.state),
                                            " before it was done; its messages say why"));
  }
  const int signal_number = WTERMSIG(end.state);
  const bool killed = signal_number == SIGKILL || signal_number == SIGTERM;
  // Whoever does not hear SIGXCPU is killed a second later.
  if (signal_number == SIGXCPU || (killed && end.cpu_time >= sandbox_.limits.cpu_time)) {
    return LimitReached(absl::StrCat(
        "took more than ", absl::FormatDuration(sandbox_.limits.cpu_time), " of CPU time"));
  }
  if (killed) {
    return base::Error(absl::StatusCode::kUnavailable, "DECODER_KILLED",
                       "The decoder was killed from outside; try again.");
  }
  return audio::CorruptAudio(absl::StrCat("The decoder crashed on this file (signal ",
                                          signal_number, ", ", Where(), ")."));
}

absl::Status SandboxedDecoder::LimitReached(absl::string_view what) const {
  return base::Error(absl::StatusCode::kInvalidArgument, kLimitReason,
                     absl::StrCat("The decoder ", what, " (", Where(),
                                  "). Convert the file to WAV or FLAC first."));
}

std::string SandboxedDecoder::Where() const {
  if (format_.rate_hz == 0) return "at the file's beginning";
  return absl::StrFormat("at %.3f s",
                         static_cast<double>(received_) / static_cast<double>(format_.rate_hz));
}

}  // namespace unbraid::decode
