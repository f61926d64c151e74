#include "services/common/decode/message_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>

namespace unbraid::decode {
namespace {

class PipeTest {
 protected:
  PipeTest() {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    read_ = Descriptor(ends[0]);
    write_ = Descriptor(ends[1]);
  }

  // What the reader makes of these bytes, after which the pipe is closed.
  absl::StatusOr<std::optional<internal::v1::DecoderMessage>> Parse(const std::string& bytes) {
    REQUIRE(write(write_.number(), bytes.data(), bytes.size()) ==
            static_cast<ssize_t>(bytes.size()));
    write_ = Descriptor();
    return MessageReader(std::move(read_), absl::Seconds(5)).Next();
  }

  Descriptor read_;
  Descriptor write_;
};

TEST_CASE_METHOD(PipeTest, "messages come out as they went in, and then the end") {
  internal::v1::DecoderMessage message;
  message.set_samples(std::string("12345678", 8));
  REQUIRE(WriteMessage(write_.number(), message).ok());
  message.mutable_end()->set_frames(7);
  REQUIRE(WriteMessage(write_.number(), message).ok());
  write_ = Descriptor();
  MessageReader reader(std::move(read_), absl::Seconds(5));
  const auto first = reader.Next();
  REQUIRE(first.ok());
  CHECK((*first)->samples() == "12345678");
  const auto second = reader.Next();
  REQUIRE(second.ok());
  CHECK((*second)->end().frames() == 7);
  const auto third = reader.Next();
  REQUIRE(third.ok());
  CHECK_FALSE(third->has_value());
}

TEST_CASE_METHOD(PipeTest, "a length beyond the limit is no message, and takes no memory") {
  const auto status = Parse(std::string("\xFF\xFF\xFF\xFF", 4)).status();
  CHECK(absl::IsDataLoss(status));
  CHECK(status.message() == "the decoder sent what is no message: it claims 4294967295 bytes");
}

TEST_CASE_METHOD(PipeTest, "a cut-off length is no message") {
  CHECK(Parse(std::string("\x05\0", 2)).status().message() ==
        "the decoder sent what is no message: its length is cut off");
}

TEST_CASE_METHOD(PipeTest, "a cut-off message is none") {
  CHECK(Parse(std::string("\x05\0\0\0abc", 7)).status().message() ==
        "the decoder sent what is no message: it is cut off");
}

TEST_CASE_METHOD(PipeTest, "bytes that are no protocol buffer are no message") {
  CHECK(Parse(std::string("\x03\0\0\0\xFF\xFF\xFF", 7)).status().message() ==
        "the decoder sent what is no message: it cannot be parsed");
}

TEST_CASE_METHOD(PipeTest, "silence is told after its time") {
  MessageReader reader(std::move(read_), absl::Milliseconds(20));
  CHECK(absl::IsDeadlineExceeded(reader.Next().status()));
}

TEST_CASE_METHOD(PipeTest, "a writer learns that nobody reads") {
  signal(SIGPIPE, SIG_IGN);
  read_ = Descriptor();
  CHECK(absl::IsUnavailable(WriteMessage(write_.number(), {})));
}

}  // namespace
}  // namespace unbraid::decode
