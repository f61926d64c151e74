#ifndef UNBRAID_SERVICES_COMMON_DECODE_MESSAGE_PIPE_H_
#define UNBRAID_SERVICES_COMMON_DECODE_MESSAGE_PIPE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "unbraid/internal/v1/decoder.pb.h"

namespace unbraid::decode {

// Largest message that either side takes; a part of samples is a quarter of it.
inline constexpr size_t kMaxMessageBytes = 1 << 20;

// A descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int number() const { return number_; }

 private:
  int number_;
};

// Writes one message; waits while the pipe is full. UNAVAILABLE when nobody reads any more.
absl::Status WriteMessage(int pipe, const internal::v1::DecoderMessage& message);

// The reading end. Trusts nothing of what it reads: length and content are checked. Not
// thread-safe.
class MessageReader {
 public:
  // `patience`: how long the other side may take for a message.
  MessageReader(Descriptor pipe, absl::Duration patience)
      : pipe_(std::move(pipe)), patience_(patience) {}

  // The next message; nothing once the other side has closed the pipe between two messages.
  // DEADLINE_EXCEEDED when it takes longer than the patience or than `most`, DATA_LOSS for what is
  // no message.
  absl::StatusOr<std::optional<internal::v1::DecoderMessage>> Next(
      absl::Duration most = absl::InfiniteDuration());

 private:
  // Reads `size` bytes; fewer at the end of the pipe.
  absl::StatusOr<size_t> ReadBytes(char* buffer, size_t size, absl::Time deadline) const;

  const Descriptor pipe_;
  const absl::Duration patience_;
  std::string body_;  // kept for its memory
};

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_MESSAGE_PIPE_H_
