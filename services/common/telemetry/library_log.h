#ifndef UNBRAID_SERVICES_COMMON_TELEMETRY_LIBRARY_LOG_H_
#define UNBRAID_SERVICES_COMMON_TELEMETRY_LIBRARY_LOG_H_

namespace unbraid::telemetry {

// What Protobuf has to say, for example of a text in a message that is no UTF-8, becomes a line of
// the log like any other; by itself it writes to standard error. For the whole process.
void CaptureLibraryLog();

}  // namespace unbraid::telemetry

#endif  // UNBRAID_SERVICES_COMMON_TELEMETRY_LIBRARY_LOG_H_
