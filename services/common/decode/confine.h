#ifndef UNBRAID_SERVICES_COMMON_DECODE_CONFINE_H_
#define UNBRAID_SERVICES_COMMON_DECODE_CONFINE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace unbraid::decode {

struct Limits {
  // Memory beyond what the process has mapped already (programs and libraries). Not in force in a
  // build with the address or thread sanitizer, which reserve more than any limit allows.
  int64_t memory_bytes = int64_t{512} << 20;
  // CPU time of the whole process; SIGXCPU ends it then.
  absl::Duration cpu_time = absl::Minutes(5);
};

// Takes every right from this process that decoding does not need, for good. Afterwards it can read
// and write descriptors that are open, take memory within the limit, send itself signals, and end;
// it cannot open a file or a socket, write a file, ask for anything by a path, signal another
// process, start a process or a thread, or get a right back. What it may not do fails with EPERM.
// Standard error leads nowhere then (but in a sanitizer's build, whose reports are wanted); of a
// failure here it still tells.
//
// Call it with one thread, after all libraries are loaded.
absl::Status Confine(const Limits& limits);

}  // namespace unbraid::decode

#endif  // UNBRAID_SERVICES_COMMON_DECODE_CONFINE_H_
