#ifndef UNBRAID_SERVICES_SPLITTER_TRACK_CHECK_H_
#define UNBRAID_SERVICES_SPLITTER_TRACK_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/duration.pb.h"
#include "services/common/audio/decoder.h"
#include "unbraid/v1/track.pb.h"

namespace unbraid::splitter {

// Decodes the whole file, in blocks, which is the only way to learn its exact length and that it is
// sound; headers are estimates or lies. Fills container, codec, sample_format, sample_rate_hz,
// source_channels, channels, frames, duration, the tags and silenced_samples.
//
// Errors: those of `open` and of reading what it opens, and CANCELLED once `give_up` says so.
absl::StatusOr<v1::Track> CheckTrack(const std::string& path, const audio::OpenAudio& open,
                                     const audio::DecodeOptions& options,
                                     const std::function<bool()>& give_up);

// frames / rate, rounded to nanoseconds.
google::protobuf::Duration ToDuration(int64_t frames, int rate_hz);

// A label: any UTF-8 of up to 255 bytes. INVALID_ARGUMENT (INVALID_NAME).
absl::Status CheckDisplayName(absl::string_view name);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_TRACK_CHECK_H_
