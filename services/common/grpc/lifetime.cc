#include "services/common/grpc/lifetime.h"

#include <grpc/grpc.h>

namespace unbraid::grpc_util {

void KeepLibraryUp() {
  static const bool up = [] {
    grpc_init();  // and no grpc_shutdown
    return true;
  }();
  (void)up;
}

}  // namespace unbraid::grpc_util
