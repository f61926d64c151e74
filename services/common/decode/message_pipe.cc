#include "services/common/decode/message_pipe.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"

namespace unbraid::decode {
namespace {

constexpr size_t kLengthBytes = 4;
constexpr int kByteBits = 8;

std::array<char, kLengthBytes> ToBytes(uint32_t length) {
  std::array<char, kLengthBytes> bytes{};
  for (char& byte : bytes) {
    byte = static_cast<char>(length & 0xFF);
    length >>= kByteBits;
  }
  return bytes;
}

uint32_t FromBytes(const std::array<char, kLengthBytes>& bytes) {
  uint32_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) {
    length = (length << kByteBits) | static_cast<uint8_t>(bytes[i]);
  }
  return length;
}

absl::Status NoMessage(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("the decoder sent what is no message: ", why));
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

absl::Status WriteMessage(int pipe, const internal::v1::DecoderMessage& message) {
  const size_t size = message.ByteSizeLong();
  if (size > kMaxMessageBytes) return absl::InternalError("a message is too large");
  const auto length = ToBytes(static_cast<uint32_t>(size));
  std::string bytes(length.data(), length.size());
  message.AppendToString(&bytes);
  absl::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = write(pipe, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::UnavailableError(std::strerror(errno));
    rest.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<internal::v1::DecoderMessage>> MessageReader::Next(
    absl::Duration most) {
  const absl::Time deadline = base::SteadyNow() + std::min(patience_, most);
  std::array<char, kLengthBytes> length{};
  UNBRAID_ASSIGN_OR_RETURN(const size_t got, ReadBytes(length.data(), length.size(), deadline));
  if (got == 0) return std::nullopt;
  if (got < length.size()) return NoMessage("its length is cut off");
  const size_t size = FromBytes(length);
  if (size > kMaxMessageBytes) return NoMessage(absl::StrCat("it claims ", size, " bytes"));
  body_.resize(size);
  UNBRAID_ASSIGN_OR_RETURN(const size_t body, ReadBytes(body_.data(), size, deadline));
  if (body < size) return NoMessage("it is cut off");
  internal::v1::DecoderMessage message;
  if (!message.ParseFromString(body_)) return NoMessage("it cannot be parsed");
  return message;
}

absl::StatusOr<size_t> MessageReader::ReadBytes(char* buffer, size_t size,
                                                absl::Time deadline) const {
  size_t total = 0;
  while (total < size) {
    const absl::Duration left = std::max(deadline - base::SteadyNow(), absl::ZeroDuration());
    pollfd ready = {pipe_.number(), POLLIN, 0};
    const int polled = poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(left)));
    if (polled < 0 && errno == EINTR) continue;
    if (polled == 0) return absl::DeadlineExceededError("the decoder says nothing");
    const ssize_t got = polled < 0 ? -1 : read(pipe_.number(), buffer + total, size - total);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::InternalError(absl::StrCat("read: ", std::strerror(errno)));
    if (got == 0) break;
    total += static_cast<size_t>(got);
  }
  return total;
}

}  // namespace unbraid::decode
