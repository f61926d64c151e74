#include "services/common/telemetry/library_log.h"

#include <google/protobuf/stubs/common.h>

#include <string>

#include "services/common/telemetry/log.h"

// Later ones log through Abseil.
#if GOOGLE_PROTOBUF_VERSION < 4022000
#include <google/protobuf/stubs/logging.h>
#define UNBRAID_PROTOBUF_LOGS_BY_ITSELF
#endif

namespace unbraid::telemetry {

#ifdef UNBRAID_PROTOBUF_LOGS_BY_ITSELF

void CaptureLibraryLog() {
  google::protobuf::SetLogHandler([](google::protobuf::LogLevel level, const char* /*file*/,
                                     int /*line*/, const std::string& message) {
    // A client can cause most of them, so they are no errors of ours.
    const auto write = level == google::protobuf::LOGLEVEL_FATAL ? Error : Warning;
    write("Protobuf has something to say", {{"detail", message}});
  });
}

#else

void CaptureLibraryLog() {}

#endif

}  // namespace unbraid::telemetry
