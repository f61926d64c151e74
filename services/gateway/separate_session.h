#ifndef UNBRAID_SERVICES_GATEWAY_SEPARATE_SESSION_H_
#define UNBRAID_SERVICES_GATEWAY_SEPARATE_SESSION_H_

#include "absl/status/status.h"
#include "services/gateway/backends.h"
#include "services/gateway/call_record.h"
#include "services/gateway/config.h"
#include "services/gateway/separate_call.h"

namespace unbraid::gateway {

// Everything that a Separate call asks for, step by step: upload, create, watch, download. Blocks
// its thread until it is done. When the client goes away the backends' calls are cancelled, except
// that a separation whose upload is complete is still created; it goes on by itself. When the
// splitter ends the upload early, that is noticed at the client's next part.
absl::Status RunSeparateSession(SeparateCall* call, const Backends& backends, const Config& config,
                                CallRecord* record);

}  // namespace unbraid::gateway

#endif  // UNBRAID_SERVICES_GATEWAY_SEPARATE_SESSION_H_
