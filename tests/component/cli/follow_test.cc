#include "clients/cli/follow.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "tests/component/cli/fake_gateway.h"
#include "tests/component/cli/prepared_signals.h"
#include "tests/support/temp_dir.h"

namespace unbraid::cli {
namespace {

constexpr char kVocals[] = "separations/2/stems/vocals";

struct Fixture : PreparedSignals {
  Fixture() {
    for (size_t i = 0; i < gateway.stem_content.size(); ++i)
      gateway.stem_content[i] = static_cast<char>(i % 251);
  }

  absl::Status FollowInto(int descriptor, bool raw = false) {
    GatewayClient client(gateway.address(), &interrupt, absl::Seconds(20));
    PcmOutput output(descriptor, raw, &interrupt);
    return FollowStem(kVocals, &client, &output, [this](int64_t received, int64_t total) {
      CHECK(received >= last_received);
      CHECK(total == static_cast<int64_t>(gateway.stem_content.size()));
      last_received = received;
    });
  }
  // What a file holds afterwards.
  std::string Follow(bool raw = false) {
    const std::string path = folder.path() + "/stem";
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(file >= 0);
    CHECK(FollowInto(file, raw).ok());
    close(file);
    return *store::ReadSmallFile(path);
  }

  test_support::TempDir folder;
  FakeGateway gateway;
  Interrupt interrupt;
  int64_t last_received = 0;
};

// Both ends of a pipe; an end that was closed by hand is -1.
struct Pipe {
  Pipe() { REQUIRE(pipe(ends) == 0); }
  ~Pipe() {
    for (int end : ends) {
      if (end >= 0) close(end);
    }
  }
  int ends[2] = {-1, -1};
};

v1::PcmFormat Format() {
  v1::PcmFormat pcm;
  pcm.set_sample_rate_hz(48'000);
  pcm.set_channels(1);
  pcm.set_frames(150'000);
  return pcm;
}

TEST_CASE_METHOD(Fixture, "a followed stem is a WAV header and its samples, to the last") {
  CHECK(Follow() == WavHeader(Format()) + gateway.stem_content);
  CHECK(last_received == 600'000);
}

TEST_CASE_METHOD(Fixture, "a raw one is its samples alone") {
  CHECK(Follow(true) == gateway.stem_content);
}

TEST_CASE_METHOD(Fixture, "a followed stem goes on where the line broke, with one header") {
  gateway.break_download_after = 250'000;
  CHECK(Follow() == WavHeader(Format()) + gateway.stem_content);
}

TEST_CASE_METHOD(Fixture, "a player that closes ends it, without an alarm") {
  Pipe pipe;
  close(pipe.ends[0]);
  pipe.ends[0] = -1;
  const absl::Status status = FollowInto(pipe.ends[1]);
  CHECK(IsOutputClosed(status));
  CHECK(std::string(status.message()) == "Nobody reads the samples any more.");
}

TEST_CASE_METHOD(Fixture, "Ctrl-C ends it even while a player takes nothing") {
  Pipe pipe;
  std::thread user([&] {
    // The first bytes have come: the rest does not fit into the pipe.
    char byte = 0;
    CHECK(read(pipe.ends[0], &byte, 1) == 1);
    interrupt.Request();
  });
  const absl::Status status = FollowInto(pipe.ends[1]);
  user.join();
  CHECK(absl::IsCancelled(status));
  CHECK_FALSE(IsOutputClosed(status));
}

TEST_CASE_METHOD(Fixture, "samples that cannot be written are told with the cause") {
  const int full = open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  const absl::Status status = FollowInto(full);
  close(full);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(base::ReasonOf(status) == "OUTPUT_NOT_WRITABLE");
  CHECK_THAT(std::string(status.message()), Catch::Contains("No space left on device"));
}

TEST_CASE("a WAV header tells format and lengths, or an unknown length where they do not fit") {
  const std::string header = WavHeader(Format());
  const std::string expected(
      "RIFF\xF0\x27\x09\x00WAVEfmt \x10\x00\x00\x00\x03\x00\x01\x00\x80\xBB\x00\x00\x00\xEE\x02\x00"
      "\x04\x00\x20\x00"
      "fact\x04\x00\x00\x00\xF0\x49\x02\x00"
      "data\xC0\x27\x09\x00",
      56);
  CHECK(header == expected);
  v1::PcmFormat hours = Format();
  hours.set_channels(2);
  hours.set_frames(int64_t{1} << 30);
  const std::string unknown = WavHeader(hours);
  CHECK(unknown.substr(4, 4) == "\xFF\xFF\xFF\xFF");
  CHECK(unknown.substr(unknown.size() - 4) == "\xFF\xFF\xFF\xFF");
}

TEST_CASE("only stems that are there, and the mix, can be followed") {
  v1::Separation separation;
  separation.set_name("separations/2");
  separation.add_stems("vocals");
  CHECK(CheckFollowable(separation, "vocals").ok());
  CHECK(CheckFollowable(separation, "mix").ok());
  const absl::Status status = CheckFollowable(separation, "piano");
  CHECK(base::ReasonOf(status) == "UNKNOWN_STEM");
  CHECK_THAT(std::string(status.message()), Catch::Contains("It has: vocals, mix."));
}

}  // namespace
}  // namespace unbraid::cli
