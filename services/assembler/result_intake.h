#ifndef UNBRAID_SERVICES_ASSEMBLER_RESULT_INTAKE_H_
#define UNBRAID_SERVICES_ASSEMBLER_RESULT_INTAKE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/base/ids.h"
#include "services/common/store/object_folder.h"

namespace unbraid::assembler {

// A worker's result, checked as far as it can be without knowing the separation.
struct Result {
  base::SeparationId id;
  int attempt = 0;
  int64_t chunk = 0;
  int try_number = 0;
  std::string worker;
  double compute_seconds = 0;

  // Either a reason why the whole chunk failed ...
  std::string failure_reason;
  std::string failure_message;

  // ... or the samples of one stem, interleaved.
  int stem = 0;  // index into the model's stems
  int channels = 0;
  int64_t frames = 0;
  std::vector<float> samples;

  // Where the samples of the stem lay beside the message; empty: in it. To be removed with it.
  std::string object;
  // Whether they could be read; if not they are lost, unless this result has been taken before.
  absl::Status fetched;

  bool failed() const { return !failure_reason.empty(); }
};

// Parses a message body. Samples that do not match their checksum or their size, or are not finite,
// give a Result with the failure BAD_CHECKSUM, BAD_RESULT or NON_FINITE_RESULT, so that the chunk
// is tried again; so do, with SAMPLES_MISSING, those that lie beside the message and cannot be
// read. `objects`: where such lie; null: nowhere. INVALID_ARGUMENT for what is no result at all.
absl::StatusOr<Result> ParseResult(const std::string& body,
                                   const store::ObjectFolder* objects = nullptr);

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_RESULT_INTAKE_H_
