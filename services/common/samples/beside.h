#ifndef UNBRAID_SERVICES_COMMON_SAMPLES_BESIDE_H_
#define UNBRAID_SERVICES_COMMON_SAMPLES_BESIDE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "services/common/base/ids.h"
#include "services/common/store/object_folder.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::samples {

// Samples beside the messages that speak of them, as objects of a folder (docs/adr/0020): for tasks
// (`ChunkTask`) and results (`StemSamples`) alike.

// The reason of a chunk's failure whose samples cannot be had, and a sentence that goes with it.
inline constexpr char kSamplesMissing[] = "SAMPLES_MISSING";
std::string MissingText(const internal::v1::ObjectReference& object);

// Whose objects they are: those of one attempt of a separation of an assembler.
struct Owner {
  std::string assembler;
  base::SeparationId separation;
  int32_t attempt = 0;

  // The group of the objects: `<separation>.<attempt>`.
  std::string group() const;
};

// Lays the samples of a message aside: it names an object instead. After an error it carries them
// as before, so there is no need to fail.
absl::Status LayAside(const store::ObjectFolder& folder, const Owner& owner,
                      internal::v1::ChunkTask* task);
absl::Status LayAside(const store::ObjectFolder& folder, const Owner& owner,
                      internal::v1::StemSamples* stem);

// Reads the samples that a message names, and that it does not carry, into it; it still names them.
// Their checksum is not looked at. `folder` null: there is none here. FAILED_PRECONDITION without
// a folder, or ObjectFolder::Read's errors, for the log.
absl::Status Fetch(const store::ObjectFolder* folder, internal::v1::ChunkTask* task);
absl::Status Fetch(const store::ObjectFolder* folder, internal::v1::StemSamples* stem);

}  // namespace unbraid::samples

#endif  // UNBRAID_SERVICES_COMMON_SAMPLES_BESIDE_H_
