#include "services/splitter/output_format.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/common/audio/format.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

absl::Status Unsupported(absl::string_view sentence) {
  return base::Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_OUTPUT", sentence);
}

// Enums of the protocol are open: any number may come.
absl::Status CheckNumbers(const v1::OutputFormat& wanted) {
  if (!v1::OutputFormat::Container_IsValid(wanted.container())) {
    return Unsupported("Outputs can be WAV, FLAC, AIFF, OGG_VORBIS, OGG_OPUS or MP3.");
  }
  if (!v1::SampleFormat_IsValid(wanted.sample_format())) {
    return Unsupported("Samples of outputs can be SOURCE, S16, S24, S32 or F32.");
  }
  if (!v1::OutputFormat::ClipPolicy_IsValid(wanted.clip())) {
    return Unsupported("The clip policy can be GAIN, CLAMP or NONE.");
  }
  if (!v1::OutputFormat::Dither_IsValid(wanted.dither())) {
    return Unsupported("Dither can be AUTO, NONE or TPDF.");
  }
  return absl::OkStatus();
}

// The audio library has the protocol's numbers, but none for what is unspecified.
audio::OutputFormat ToAudio(const v1::OutputFormat& wanted) {
  audio::OutputFormat format;
  if (wanted.container() != v1::OutputFormat::CONTAINER_UNSPECIFIED) {
    format.container = static_cast<audio::OutputContainer>(wanted.container());
  }
  if (wanted.sample_format() != v1::SAMPLE_FORMAT_UNSPECIFIED) {
    format.sample_format = static_cast<audio::SampleFormat>(wanted.sample_format());
  }
  if (wanted.clip() != v1::OutputFormat::CLIP_POLICY_UNSPECIFIED) {
    format.clip = static_cast<audio::ClipPolicy>(wanted.clip());
  }
  if (wanted.dither() != v1::OutputFormat::DITHER_UNSPECIFIED) {
    format.dither = static_cast<audio::Dither>(wanted.dither());
  }
  if (wanted.has_quality()) format.quality = wanted.quality();
  format.bitrate_kbps = wanted.bitrate_kbps();
  return format;
}

}  // namespace

absl::StatusOr<v1::OutputFormat> ResolveFormat(const v1::OutputFormat& wanted,
                                               const v1::Track& track) {
  UNBRAID_RETURN_IF_ERROR(CheckNumbers(wanted));
  const audio::OutputSource source = {static_cast<audio::SampleFormat>(track.sample_format()),
                                      track.sample_rate_hz(), track.channels(), track.frames()};
  UNBRAID_ASSIGN_OR_RETURN(const audio::OutputFormat format,
                           audio::ResolveOutput(ToAudio(wanted), source));
  v1::OutputFormat resolved;
  resolved.set_container(static_cast<v1::OutputFormat::Container>(format.container));
  resolved.set_sample_format(static_cast<v1::SampleFormat>(format.sample_format));
  resolved.set_clip(static_cast<v1::OutputFormat::ClipPolicy>(format.clip));
  resolved.set_dither(static_cast<v1::OutputFormat::Dither>(format.dither));
  if (format.quality.has_value()) resolved.set_quality(*format.quality);
  resolved.set_bitrate_kbps(format.bitrate_kbps);
  return resolved;
}

std::string FormatText(const v1::OutputFormat& resolved) {
  return absl::StrCat(
      "container ", v1::OutputFormat::Container_Name(resolved.container()), "\nsamples ",
      v1::SampleFormat_Name(resolved.sample_format()), "\nclip ",
      v1::OutputFormat::ClipPolicy_Name(resolved.clip()), "\ndither ",
      v1::OutputFormat::Dither_Name(resolved.dither()), "\nquality ",
      resolved.has_quality() ? absl::StrFormat("%.17g", resolved.quality()) : "none", "\nbitrate ",
      resolved.bitrate_kbps(), "\n");
}

}  // namespace unbraid::splitter
