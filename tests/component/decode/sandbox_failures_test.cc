#include <catch2/catch.hpp>
#include <filesystem>
#include <vector>

#include "services/common/base/status.h"
#include "services/common/decode/sandboxed_decoder.h"
#include "tests/unit/audio/files.h"

// What becomes of a decoder that a file has taken over.
namespace unbraid::decode {
namespace {

// The error that reading the file through the bad decoder ends with.
absl::Status FailureOf(const std::string& deed, absl::Duration patience = absl::Seconds(20),
                       absl::Duration total_patience = absl::Minutes(10)) {
  const audio::AudioFolder folder;
  SandboxOptions sandbox;
  sandbox.program = UNBRAID_BAD_DECODER;
  sandbox.patience = patience;
  sandbox.total_patience = total_patience;
  sandbox.limits.cpu_time = absl::Seconds(1);
  audio::DecodeOptions decode;
  decode.max_duration = absl::Minutes(1);
  const auto decoder = SandboxedDecoder::Open(folder.Write("file", deed), decode, sandbox);
  if (!decoder.ok()) return decoder.status();
  std::vector<float> block(2 * 5'000);
  while (true) {
    const auto got = (*decoder)->Read(block.data(), 5'000);
    if (!got.ok()) return got.status();
    if (*got == 0) return absl::OkStatus();
  }
}

std::string Text(const absl::Status& status) {
  return base::ReasonOf(status) + ": " + std::string(status.message());
}

TEST_CASE("a crash of the decoder is the fault of the file") {
  CHECK(Text(FailureOf("crash-at-once")) ==
        "CORRUPT_AUDIO: The decoder crashed on this file (signal 11, at the file's beginning). Get "
        "another copy of the file.");
  CHECK(Text(FailureOf("crash-later")) ==
        "CORRUPT_AUDIO: The decoder crashed on this file (signal 11, at 1.000 s). Get another copy "
        "of the file.");
}

TEST_CASE("a decoder that ends without a word is our fault") {
  const absl::Status status = FailureOf("exit");
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK(status.message() ==
        "the decoder ended with status 7 before it was done; its messages say why");
}

TEST_CASE("a decoder that says nothing is ended") {
  CHECK(Text(FailureOf("sleep", absl::Seconds(1))) ==
        "DECODER_LIMIT: The decoder gave nothing for 1s (at 0.000 s). Convert the file to WAV "
        "or FLAC first.");
}

TEST_CASE("a decoder that spins is ended by its limit of CPU time") {
  CHECK(Text(FailureOf("spin")) ==
        "DECODER_LIMIT: The decoder took more than 1s of CPU time (at the file's beginning). "
        "Convert the file to WAV or FLAC first.");
}

TEST_CASE("a decoder that does not hear of its limit of CPU time meets it all the same") {
  CHECK(Text(FailureOf("spin-on")) ==
        "DECODER_LIMIT: The decoder took more than 1s of CPU time (at the file's beginning). "
        "Convert the file to WAV or FLAC first.");
}

TEST_CASE("a decoder that closes its pipe and stays is ended, and not tried again") {
  CHECK(Text(FailureOf("close-and-stay", absl::Seconds(1))) ==
        "DECODER_LIMIT: The decoder came to no end (at the file's beginning). Convert the file to "
        "WAV or FLAC first.");
}

TEST_CASE("a decoder that somebody kills may be tried again") {
  const absl::Status status = FailureOf("kill-itself");
  CHECK(absl::IsUnavailable(status));
  CHECK(status.message() == "The decoder was killed from outside; try again.");
}

TEST_CASE("a decoder that trickles is ended, though it is never silent for long") {
  const std::string text = Text(FailureOf("trickle", absl::Seconds(1)));
  CHECK(text.find("DECODER_LIMIT: The decoder was too slow") == 0);
}

TEST_CASE("a decoder has only so much time for a whole file") {
  const std::string text = Text(FailureOf("stroll", absl::Seconds(20), absl::Milliseconds(400)));
  CHECK(text.find("DECODER_LIMIT: The decoder was too slow") == 0);
}

TEST_CASE("a program that does not tell what it can decode is not waited for") {
  const audio::AudioFolder folder;
  const std::string program = folder.Write("hangs", "#!/bin/sh\nexec sleep 1000\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const absl::Status status = AskForContainers(program, absl::Milliseconds(200)).status();
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK(status.message().find("has not told within 200ms what it can decode") !=
        absl::string_view::npos);
}

TEST_CASE("nothing that a decoder says is taken on trust") {
  for (const char* deed :
       {"noise", "no-format", "nine-channels", "rate-zero", "odd-speaker", "half-a-frame", "nan",
        "second-format", "wrong-end", "odd-reason", "no-sentence"}) {
    CAPTURE(deed);
    const absl::Status status = FailureOf(deed);
    CHECK(base::ReasonOf(status) == "CORRUPT_AUDIO");
    CHECK(status.message().find("went wrong on this file") != absl::string_view::npos);
  }
}

TEST_CASE("a decoder's sentence is cut to what the headers of an answer hold") {
  CHECK(Text(FailureOf("long-sentence")) == "CORRUPT_AUDIO: A " + std::string(510, 'b'));
}

TEST_CASE("a bomb is stopped at the limit of duration, whatever the decoder thinks of it") {
  const absl::Status status = FailureOf("endless");
  CHECK(absl::IsResourceExhausted(status));
  CHECK(Text(status) ==
        "TOO_LONG: The track is longer than the limit of 1 minutes. Cut it into shorter files.");
}

TEST_CASE("a decoder that cannot be started is told") {
  const audio::AudioFolder folder;
  SandboxOptions sandbox;
  sandbox.program = folder.Path("nothing");
  const auto decoder = SandboxedDecoder::Open(folder.Write("file", "x"), {}, sandbox);
  CHECK(decoder.status().code() == absl::StatusCode::kInternal);
  CHECK(decoder.status().message().find("cannot start the decoder") != absl::string_view::npos);
  CHECK(AskForContainers(sandbox.program).status().code() == absl::StatusCode::kInternal);
  CHECK(AskForContainers("/bin/false").status().code() == absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace unbraid::decode
