// A decoder that does what the first word of its file says, as one would that a hostile file has
// taken over.
#include <unistd.h>

#include <array>
#include <cmath>
#include <csignal>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "services/common/decode/child.h"
#include "services/common/decode/confine.h"
#include "services/common/decode/message_pipe.h"

namespace unbraid::decode {
namespace {

using internal::v1::DecoderMessage;

void Send(const DecoderMessage& message) { (void)WriteMessage(kPipeDescriptor, message); }

DecoderMessage Format() {
  DecoderMessage message;
  message.mutable_format()->set_container("WAV");
  message.mutable_format()->set_sample_format(3);
  message.mutable_format()->set_rate_hz(8000);
  message.mutable_format()->add_speakers(0);
  message.mutable_format()->add_speakers(1);
  return message;
}

DecoderMessage Samples(size_t bytes, float value = 0.5F) {
  std::vector<float> samples(bytes / sizeof(float) + 1, value);
  DecoderMessage message;
  message.set_samples(std::string(reinterpret_cast<const char*>(samples.data()), bytes));
  return message;
}

void SendEnd(int64_t frames) {
  DecoderMessage message;
  message.mutable_end()->set_frames(frames);
  Send(message);
}

void SendFailure(const std::string& reason, const std::string& sentence) {
  DecoderMessage message;
  message.mutable_failure()->set_code(static_cast<int>(absl::StatusCode::kInvalidArgument));
  message.mutable_failure()->set_reason(reason);
  message.mutable_failure()->set_message(sentence);
  Send(message);
}

[[noreturn]] void Crash() {
  std::signal(SIGSEGV, SIG_DFL);  // a sanitizer has a handler of its own
  std::raise(SIGSEGV);
  _exit(1);
}

[[noreturn]] void Spin() {
  const Limits limits{int64_t{64} << 20, absl::Seconds(1)};
  if (!Confine(limits).ok()) _exit(1);
  for (volatile unsigned i = 0;; i = i + 1) {
  }
}

// As a decoder does that wants to use up its last second too.
[[noreturn]] void SpinOn() {
  std::signal(SIGXCPU, SIG_IGN);
  Spin();
}

// Sends so much again and again, some time apart.
[[noreturn]] void Trickle(size_t bytes) {
  Send(Format());
  constexpr useconds_t kPause = 20'000;
  while (true) Send(Samples(bytes)), usleep(kPause);
}

void WithFormat(const std::function<void(DecoderMessage*)>& change) {
  DecoderMessage message = Format();
  change(&message);
  Send(message);
}

const std::map<std::string, std::function<void()>>& Deeds() {
  static const auto* const kDeeds = new std::map<std::string, std::function<void()>>{
      {"crash-at-once", Crash},
      {"crash-later", [] { Send(Format()), Send(Samples(64'000)), Crash(); }},
      {"exit", [] { _exit(7); }},
      {"sleep", [] { Send(Format()), pause(); }},
      {"spin", Spin},
      {"spin-on", SpinOn},
      {"kill-itself", [] { std::raise(SIGKILL); }},
      {"trickle", [] { Trickle(8); }},
      {"stroll", [] { Trickle(64'000); }},
      {"close-and-stay", [] { close(kPipeDescriptor), pause(); }},
      {"noise", [] { (void)!write(kPipeDescriptor, "\x03\0\0\0\xFF\xFF\xFF", 7), pause(); }},
      {"no-format", [] { Send(Samples(8)); }},
      {"nine-channels",
       [] {
         WithFormat([](DecoderMessage* message) {
           for (int i = 0; i < 7; ++i) message->mutable_format()->add_speakers(0);
         });
       }},
      {"rate-zero",
       [] {
         WithFormat([](DecoderMessage* message) { message->mutable_format()->set_rate_hz(0); });
       }},
      {"odd-speaker",
       [] {
         WithFormat(
             [](DecoderMessage* message) { message->mutable_format()->set_speakers(0, 99); });
       }},
      {"half-a-frame", [] { Send(Format()), Send(Samples(12)); }},
      {"nan", [] { Send(Format()), Send(Samples(16, std::nanf(""))); }},
      {"second-format", [] { Send(Format()), Send(Format()); }},
      {"wrong-end", [] { Send(Format()), Send(Samples(16)), SendEnd(3); }},
      {"odd-reason", [] { SendFailure("TRACK_IN_USE", "Pay first."); }},
      {"no-sentence", [] { SendFailure("CORRUPT_AUDIO", ""); }},
      {"long-sentence", [] { SendFailure("CORRUPT_AUDIO", "A\n" + std::string(100'000, 'b')); }},
      {"endless",
       [] {
         Send(Format());
         while (true) Send(Samples(64'000));
       }},
  };
  return *kDeeds;
}

}  // namespace
}  // namespace unbraid::decode

int main() {
  using namespace unbraid;  // NOLINT(google-build-using-namespace): a list of parts reads better
  std::array<char, 64> word{};
  const ssize_t size = pread(decode::kFileDescriptor, word.data(), word.size(), 0);
  const auto deed = decode::Deeds().find(std::string(word.data(), size > 0 ? size : 0));
  if (deed == decode::Deeds().end()) return 99;
  signal(SIGPIPE, SIG_DFL);
  deed->second();
  return 0;
}
