#ifndef UNBRAID_SERVICES_GATEWAY_SEPARATE_SESSION_H_
#define UNBRAID_SERVICES_GATEWAY_SEPARATE_SESSION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "services/gateway/backends.h"
#include "services/gateway/call_record.h"
#include "services/gateway/separate_call.h"

namespace unbraid::gateway {

// Everything that a Separate call asks for, step by step: upload, create, watch, download. Blocks
// its thread until it is done. When the client goes away the backends' calls are cancelled, and the
// separation goes on by itself.
absl::Status RunSeparateSession(SeparateCall* call, const Backends& backends,
                                int64_t max_upload_bytes, CallRecord* record);

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_SEPARATE_SESSION_H_
