#include "services/common/audio/mpeg_header.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace unbraid::audio {
namespace {

constexpr size_t kHeaderBytes = 4;
constexpr int kMpeg1 = 3;
constexpr int kMpeg2 = 2;
constexpr int kReservedVersion = 1;

using BitRates = std::array<int, 15>;  // kbit/s; the first is the free format
constexpr BitRates kMpeg1Layer1 = {0,   32,  64,  96,  128, 160, 192, 224,
                                   256, 288, 320, 352, 384, 416, 448};
constexpr BitRates kMpeg1Layer2 = {0,   32,  48,  56,  64,  80,  96, 112,
                                   128, 160, 192, 224, 256, 320, 384};
constexpr BitRates kMpeg1Layer3 = {0,   32,  40,  48,  56,  64,  80, 96,
                                   112, 128, 160, 192, 224, 256, 320};
constexpr BitRates kMpeg2Layer1 = {0,   32,  48,  56,  64,  80,  96, 112,
                                   128, 144, 160, 176, 192, 224, 256};
constexpr BitRates kMpeg2Layer23 = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
constexpr std::array<int, 3> kMpeg1Rates = {44'100, 48'000, 32'000};

const BitRates& BitRatesOf(int version, int layer) {
  if (version == kMpeg1) {
    return layer == 1 ? kMpeg1Layer1 : layer == 2 ? kMpeg1Layer2 : kMpeg1Layer3;
  }
  return layer == 1 ? kMpeg2Layer1 : kMpeg2Layer23;
}

size_t FrameBytes(const MpegHeader& header, int kilobits, int padding) {
  const int bits = kilobits * 1000;
  if (header.layer == 1) return static_cast<size_t>((12 * bits / header.rate_hz + padding) * 4);
  const int slots = header.layer == 3 && header.version != kMpeg1 ? 72 : 144;
  return static_cast<size_t>(slots * bits / header.rate_hz + padding);
}

// How many frames follow each other from `at`, counted up to `wanted`.
int FramesInARow(absl::string_view bytes, size_t at, int wanted) {
  const std::optional<MpegHeader> first = ParseMpegHeader(bytes.substr(at));
  std::optional<MpegHeader> header = first;
  int count = 0;
  while (header.has_value() && header->Fits(*first) && ++count < wanted) {
    at += header->bytes;
    header = at < bytes.size() ? ParseMpegHeader(bytes.substr(at)) : std::nullopt;
  }
  return count;
}

}  // namespace

std::optional<MpegHeader> ParseMpegHeader(absl::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (byte(0) != 0xFF || (byte(1) & 0xE0) != 0xE0) return std::nullopt;
  MpegHeader header;
  header.version = (byte(1) >> 3) & 3;
  header.layer = 4 - ((byte(1) >> 1) & 3);
  header.mono = (byte(3) >> 6) == 3;
  const int bit_rate = byte(2) >> 4;
  const int rate = (byte(2) >> 2) & 3;
  if (header.version == kReservedVersion || header.layer > 3) return std::nullopt;
  if (bit_rate == 0 || bit_rate == 15 || rate == 3) return std::nullopt;
  const int divisor = header.version == kMpeg1 ? 1 : header.version == kMpeg2 ? 2 : 4;
  header.rate_hz = kMpeg1Rates[static_cast<size_t>(rate)] / divisor;
  const int kilobits = BitRatesOf(header.version, header.layer)[static_cast<size_t>(bit_rate)];
  header.bytes = FrameBytes(header, kilobits, (byte(2) >> 1) & 1);
  return header;
}

std::optional<size_t> FindMpegAudio(absl::string_view head, bool whole) {
  const std::optional<MpegHeader> first = ParseMpegHeader(head);
  if (FramesInARow(head, 0, 2) == 2) return 0;
  if (first.has_value() && first->layer == 3 && whole && head.size() <= first->bytes) return 0;
  for (size_t at = 1; at + kHeaderBytes <= head.size(); ++at) {
    if (FramesInARow(head, at, 3) == 3) return at;
  }
  return std::nullopt;
}

bool TellsMpegLength(absl::string_view bytes) {
  const std::optional<MpegHeader> header = ParseMpegHeader(bytes);
  if (!header.has_value() || header->layer != 3) return false;
  const bool mpeg1 = header->version == kMpeg1;
  const size_t side = mpeg1 ? (header->mono ? 17 : 32) : (header->mono ? 9 : 17);
  const absl::string_view xing = bytes.substr(std::min(kHeaderBytes + side, bytes.size()), 8);
  constexpr char kHasFrames = 1;
  if (xing.size() == 8 && (xing.substr(0, 4) == "Xing" || xing.substr(0, 4) == "Info")) {
    return (xing[7] & kHasFrames) != 0;
  }
  constexpr size_t kVbriAt = kHeaderBytes + 32;
  return bytes.substr(std::min(kVbriAt, bytes.size()), 4) == "VBRI";
}

}  // namespace unbraid::audio
