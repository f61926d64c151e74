#ifndef UNBRAID_SERVICES_COMMON_GRPC_LIFETIME_H_
#define UNBRAID_SERVICES_COMMON_GRPC_LIFETIME_H_

namespace unbraid::grpc_util {

// Keeps the gRPC library up until the process ends. Otherwise the last channel or server that goes
// takes the library down with it, and that can wait 10 s for a poller of its own (one that helped a
// full socket), which a service that was told to end does not have. May be called often, from any
// thread.
void KeepLibraryUp();

}  // namespace unbraid::grpc_util

#endif  // UNBRAID_SERVICES_COMMON_GRPC_LIFETIME_H_
