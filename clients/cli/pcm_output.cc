#include "clients/cli/pcm_output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::cli {
namespace {

constexpr char kClosed[] = "OUTPUT_CLOSED";
constexpr int kPollMs = 200;
// What a pipe that has room is sure to take without blocking (PIPE_BUF on Linux).
constexpr size_t kPieceBytes = 4096;

absl::Status Failure(int error) {
  if (error == EPIPE) {
    return base::Error(absl::StatusCode::kCancelled, kClosed, "Nobody reads the samples any more.");
  }
  return base::Error(absl::StatusCode::kInvalidArgument, "OUTPUT_NOT_WRITABLE",
                     absl::StrCat("The samples cannot be written to standard output: ",
                                  std::strerror(error), "."));
}

void Append16(uint16_t value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void Append32(uint32_t value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

std::string WavHeader(const v1::PcmFormat& pcm) {
  constexpr uint32_t kUnknown = std::numeric_limits<uint32_t>::max();
  constexpr int64_t kHeaderRest = 4 + 24 + 12 + 8;  // behind the first length field
  constexpr uint16_t kFloat = 3;
  constexpr uint16_t kBits = 32;
  const auto frame_bytes = static_cast<uint16_t>(pcm.channels() * (kBits / 8));
  const int64_t bytes = pcm.frames() * frame_bytes;
  const bool fits = bytes + kHeaderRest < kUnknown;
  const auto rate = static_cast<uint32_t>(pcm.sample_rate_hz());
  std::string header = "RIFF";
  Append32(fits ? static_cast<uint32_t>(bytes + kHeaderRest) : kUnknown, &header);
  header += "WAVEfmt ";
  Append32(16, &header);
  Append16(kFloat, &header);
  Append16(static_cast<uint16_t>(pcm.channels()), &header);
  Append32(rate, &header);
  Append32(rate * frame_bytes, &header);
  Append16(frame_bytes, &header);
  Append16(kBits, &header);
  header += "fact";
  Append32(4, &header);
  Append32(fits ? static_cast<uint32_t>(pcm.frames()) : kUnknown, &header);
  header += "data";
  Append32(fits ? static_cast<uint32_t>(bytes) : kUnknown, &header);
  return header;
}

bool IsOutputClosed(const absl::Status& status) { return base::ReasonOf(status) == kClosed; }

void PcmOutput::Begin(const v1::PcmFormat& pcm) {
  if (!raw_) header_ = WavHeader(pcm);
}

absl::Status PcmOutput::Write(absl::string_view samples) {
  if (samples.empty()) return absl::OkStatus();
  if (header_.empty()) return WriteAll(samples);
  return WriteAll(absl::StrCat(std::exchange(header_, std::string()), samples));
}

absl::Status PcmOutput::WriteAll(absl::string_view bytes) const {
  while (!bytes.empty()) {
    UNBRAID_RETURN_IF_ERROR(AwaitRoom());
    const ssize_t written = write(descriptor_, bytes.data(), std::min(bytes.size(), kPieceBytes));
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return Failure(errno);
    }
  }
  return absl::OkStatus();
}

absl::Status PcmOutput::AwaitRoom() const {
  while (true) {
    pollfd room = {descriptor_, POLLOUT, 0};
    const int ready = poll(&room, 1, kPollMs);
    if (interrupt_->requested()) return absl::CancelledError("Interrupted.");
    // What is amiss, a closed pipe for one, is said by write.
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Failure(errno);
  }
}

}  // namespace unbraid::cli
