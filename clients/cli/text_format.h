#ifndef UNBRAID_CLIENTS_CLI_TEXT_FORMAT_H_
#define UNBRAID_CLIENTS_CLI_TEXT_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "unbraid/v1/separation.pb.h"
#include "unbraid/v1/separation_service.pb.h"
#include "unbraid/v1/system_service.pb.h"
#include "unbraid/v1/track.pb.h"
#include "unbraid/v1/track_service.pb.h"

namespace unbraid::cli {

// "4.2 MB"; decimal units.
std::string FormatBytes(int64_t bytes);

// "3:07" or "1:02:03".
std::string FormatClock(int64_t seconds);

// A label as one line for a terminal: control characters and broken UTF-8 are escaped.
std::string Printable(absl::string_view label);

// One line without its end, about a track.
std::string DescribeTrack(const v1::Track& track);

// Text for people, each line ended.
std::string Describe(const v1::Track& track);
std::string Describe(const v1::Separation& separation);
std::string Describe(const v1::ListTracksResponse& list);
std::string Describe(const v1::ListSeparationsResponse& list);
std::string Describe(const v1::ListModelsResponse& list);
std::string Describe(const v1::ServerInfo& info);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_TEXT_FORMAT_H_
