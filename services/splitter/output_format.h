#ifndef UNBRAID_SERVICES_SPLITTER_OUTPUT_FORMAT_H_
#define UNBRAID_SERVICES_SPLITTER_OUTPUT_FORMAT_H_

#include <string>

#include "absl/status/statusor.h"
#include "unbraid/v1/separation.pb.h"
#include "unbraid/v1/track.pb.h"

namespace unbraid::splitter {

// What was asked for, with nothing left open; equal outputs of a track get equal messages.
// INVALID_ARGUMENT (UNSUPPORTED_OUTPUT) for what cannot be. Pure.
absl::StatusOr<v1::OutputFormat> ResolveFormat(const v1::OutputFormat& wanted,
                                               const v1::Track& track);

// The lines of a separation's fingerprint that a resolved format has.
std::string FormatText(const v1::OutputFormat& resolved);

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_OUTPUT_FORMAT_H_
