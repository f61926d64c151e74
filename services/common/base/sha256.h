#ifndef UNBRAID_SERVICES_COMMON_BASE_SHA256_H_
#define UNBRAID_SERVICES_COMMON_BASE_SHA256_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unbraid::base {

using Sha256Digest = std::array<uint8_t, 32>;

// A running SHA-256. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::string_view bytes);

  // The digest of all bytes so far. Call it once; the object is spent afterwards.
  Sha256Digest Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Sha256Digest Sha256Of(absl::string_view bytes);

// 64 lower-case hexadecimal digits.
std::string ToHex(const Sha256Digest& digest);

// Digest of a file's content, read in blocks.
absl::StatusOr<Sha256Digest> Sha256OfFile(const std::string& path);

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_SHA256_H_
