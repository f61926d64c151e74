#ifndef UNBRAID_SERVICES_COMMON_BASE_CRC32C_H_
#define UNBRAID_SERVICES_COMMON_BASE_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace unbraid::base {

// CRC32C (Castagnoli, RFC 3720) of `bytes`. Uses the processor's instruction where there is one.
uint32_t Crc32c(absl::string_view bytes);

// The same by table alone; the two must agree, which a test checks.
uint32_t Crc32cPortable(absl::string_view bytes);

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_CRC32C_H_
