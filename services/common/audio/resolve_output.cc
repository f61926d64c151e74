#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/audio/format.h"
#include "services/common/base/status.h"

// What the containers have, and what is asked for where nothing is said.

namespace unbraid::audio {
namespace {

constexpr double kVorbisQuality = 0.6;
constexpr double kMp3Quality = 0.8;
constexpr int kOpusBitrateKbps = 128;
constexpr int kMinOpusBitrateKbps = 6;
constexpr int kMaxOpusBitrateKbps = 510;
// libopus takes no more than 300 for one channel, and does not say so.
constexpr int kMaxMonoOpusBitrateKbps = 256;
// FLAC's encoder refuses rates above 65,535 Hz that its header has no short form for.
constexpr int kMaxFineFlacRateHz = 65'535;
constexpr int kCoarseFlacStepHz = 10;
// AIFF counts bytes in 32 bits, which readers take as signed; the header needs room, too.
constexpr int64_t kMaxAiffBytes = (int64_t{2} << 30) - (int64_t{1} << 20);

absl::Status Unsupported(absl::string_view sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_OUTPUT", sentence);
}

std::string NameOf(OutputContainer container) {
  switch (container) {
    case OutputContainer::kFlac:
      return "FLAC";
    case OutputContainer::kAiff:
      return "AIFF";
    case OutputContainer::kOggVorbis:
      return "Ogg Vorbis";
    case OutputContainer::kOggOpus:
      return "Ogg Opus";
    case OutputContainer::kMp3:
      return "MP3";
    default:
      return "WAV";
  }
}

// How fine samples are; a lossy track counts as floats.
int Fineness(SampleFormat format) { return static_cast<int>(format); }

// The source's depth, or the next finer one that the container has, or its finest.
SampleFormat DepthOf(OutputContainer container, SampleFormat source) {
  const SampleFormat finest =
      container == OutputContainer::kFlac ? SampleFormat::kS24 : SampleFormat::kF32;
  if (Fineness(source) <= Fineness(SampleFormat::kS16)) return SampleFormat::kS16;
  return Fineness(source) < Fineness(finest) ? source : finest;
}

absl::Status ResolveDepth(const OutputSource& source, OutputFormat* format) {
  const bool flac = format->container == OutputContainer::kFlac;
  switch (format->sample_format) {
    case SampleFormat::kNone:
    case SampleFormat::kSource:
      format->sample_format = DepthOf(format->container, source.sample_format);
      return absl::OkStatus();
    case SampleFormat::kS16:
    case SampleFormat::kS24:
      return absl::OkStatus();
    case SampleFormat::kS32:
      if (!flac) return absl::OkStatus();
      return Unsupported("FLAC has at most 24 bits here; ask for S24, or for WAV or AIFF.");
    case SampleFormat::kF32:
      if (!flac) return absl::OkStatus();
      return Unsupported("FLAC holds no floating-point samples; ask for S24, or for WAV or AIFF.");
    default:
      return Unsupported(absl::StrCat("Samples of ", NameOf(format->container),
                                      " can be SOURCE, S16",
                                      flac ? " or S24." : ", S24, S32 or F32."));
  }
}

absl::Status ResolveDither(const OutputSource& source, OutputFormat* format) {
  if (IntegerBits(format->sample_format) == 0) {
    if (format->dither == Dither::kTpdf) {
      return Unsupported(
          "Dither is for integers, and these outputs are floats; ask for AUTO, or for S16 or S24.");
    }
    format->dither = Dither::kUnspecified;
  } else if (format->dither == Dither::kUnspecified || format->dither == Dither::kAuto) {
    const bool coarser = Fineness(format->sample_format) < Fineness(source.sample_format);
    format->dither = coarser ? Dither::kTpdf : Dither::kNone;
  }
  return absl::OkStatus();
}

absl::Status ResolvePcm(const OutputSource& source, OutputFormat* format) {
  const std::string name = NameOf(format->container);
  if (format->quality.has_value() || format->bitrate_kbps != 0) {
    return Unsupported(absl::StrCat(
        name,
        " is lossless: leave quality and bitrate out, or ask for OGG_VORBIS, OGG_OPUS or MP3."));
  }
  UNBRAID_RETURN_IF_ERROR(ResolveDepth(source, format));
  UNBRAID_RETURN_IF_ERROR(ResolveDither(source, format));
  if (format->container == OutputContainer::kFlac && source.rate_hz > kMaxFineFlacRateHz &&
      source.rate_hz % kCoarseFlacStepHz != 0) {
    return Unsupported(
        absl::StrCat("FLAC cannot be written at ", source.rate_hz, " Hz; ask for WAV or AIFF."));
  }
  constexpr int kFloatBits = 32;
  constexpr int kBitsPerByte = 8;
  const int bits = IntegerBits(format->sample_format);
  const int64_t frame_bytes = source.channels * (bits > 0 ? bits : kFloatBits) / kBitsPerByte;
  if (format->container == OutputContainer::kAiff && source.frames > kMaxAiffBytes / frame_bytes) {
    return Unsupported(
        "AIFF holds at most 2 GB, and these outputs are longer; ask for WAV or FLAC.");
  }
  return absl::OkStatus();
}

absl::Status CheckQuality(const OutputFormat& format) {
  if (!format.quality.has_value() || (*format.quality >= 0 && *format.quality <= 1)) {
    return absl::OkStatus();
  }
  return Unsupported(absl::StrCat("A quality of ", *format.quality,
                                  " is out of range; it goes from 0 (smallest) to 1 (best)."));
}

absl::Status ResolveVorbis(OutputFormat* format) {
  if (format->bitrate_kbps != 0) {
    return Unsupported("OGG_VORBIS has no bitrate to choose; ask for a quality from 0 to 1.");
  }
  if (!format->quality.has_value()) format->quality = kVorbisQuality;
  return absl::OkStatus();
}

absl::Status ResolveOpus(const OutputSource& source, OutputFormat* format) {
  if (format->quality.has_value()) {
    return Unsupported("OGG_OPUS has no quality to choose; ask for a bitrate in kbit/s.");
  }
  if (format->bitrate_kbps == 0) format->bitrate_kbps = kOpusBitrateKbps;
  const int most = source.channels == 1 ? kMaxMonoOpusBitrateKbps : kMaxOpusBitrateKbps;
  if (format->bitrate_kbps >= kMinOpusBitrateKbps && format->bitrate_kbps <= most) {
    return absl::OkStatus();
  }
  return Unsupported(absl::StrCat(
      "OGG_OPUS with ", source.channels, source.channels == 1 ? " channel" : " channels", " has ",
      kMinOpusBitrateKbps, " to ", most, " kbit/s, not ", format->bitrate_kbps, "."));
}

// The bitrates from 32 kbit/s that layer III has at a rate, ascending; none where it lacks the
// rate.
std::vector<int> Mp3Bitrates(int rate_hz) {
  switch (rate_hz) {
    case 32'000:
    case 44'100:
    case 48'000:
      return {32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
    case 16'000:
    case 22'050:
    case 24'000:
      return {32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
    case 8'000:
    case 11'025:
    case 12'000:
      return {32, 40, 48, 56, 64};
    default:
      return {};
  }
}

absl::Status ResolveMp3(const OutputSource& source, OutputFormat* format) {
  const std::vector<int> bitrates = Mp3Bitrates(source.rate_hz);
  if (bitrates.empty()) {
    return Unsupported(absl::StrCat("MP3 has no rate of ", source.rate_hz,
                                    " Hz, only 8, 11.025, 12, 16, 22.05, 24, 32, 44.1 and 48 kHz; "
                                    "ask for OGG_VORBIS or OGG_OPUS."));
  }
  if (format->bitrate_kbps == 0) {
    if (!format->quality.has_value()) format->quality = kMp3Quality;
    return absl::OkStatus();
  }
  if (format->quality.has_value()) {
    return Unsupported("MP3 has either a quality or a bitrate; leave one of them out.");
  }
  if (std::find(bitrates.begin(), bitrates.end(), format->bitrate_kbps) != bitrates.end()) {
    return absl::OkStatus();
  }
  return Unsupported(absl::StrCat("MP3 at ", source.rate_hz, " Hz has no bitrate of ",
                                  format->bitrate_kbps, " kbit/s; it has ",
                                  absl::StrJoin(bitrates, ", "), "."));
}

absl::Status ResolveLossy(const OutputSource& source, OutputFormat* format) {
  const std::string name = NameOf(format->container);
  if (format->sample_format != SampleFormat::kNone &&
      format->sample_format != SampleFormat::kSource) {
    return Unsupported(absl::StrCat(name, " is lossy and has no sample format; leave it out."));
  }
  if (format->dither != Dither::kUnspecified && format->dither != Dither::kAuto) {
    return Unsupported(absl::StrCat(name, " is lossy and has no use for dither; leave it out."));
  }
  format->sample_format = SampleFormat::kNone;
  format->dither = Dither::kUnspecified;
  UNBRAID_RETURN_IF_ERROR(CheckQuality(*format));
  // Plain zero, also for -0.
  if (format->quality == 0) format->quality = 0;
  switch (format->container) {
    case OutputContainer::kOggVorbis:
      return ResolveVorbis(format);
    case OutputContainer::kOggOpus:
      return ResolveOpus(source, format);
    default:
      return ResolveMp3(source, format);
  }
}

}  // namespace

absl::StatusOr<OutputFormat> ResolveOutput(OutputFormat wanted, const OutputSource& source) {
  UNBRAID_RETURN_IF_ERROR(wanted.IsLossy() ? ResolveLossy(source, &wanted)
                                           : ResolvePcm(source, &wanted));
  return wanted;
}

}  // namespace unbraid::audio
