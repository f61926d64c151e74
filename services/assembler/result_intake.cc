#include "services/assembler/result_intake.h"

#include <utility>

#include "services/common/audio/interleave.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::assembler {
namespace {

void Fail(const char* reason, const char* message, Result* result) {
  result->failure_reason = reason;
  result->failure_message = message;
  result->samples.clear();
}

absl::Status TakeSamples(const internal::v1::StemSamples& stem, Result* result) {
  result->stem = stem.stem_index();
  result->channels = stem.channels();
  result->frames = stem.frames();
  if (base::Crc32c(stem.samples()) != stem.samples_crc32c()) {
    Fail("BAD_CHECKSUM", "the result was damaged on its way to the assembler", result);
    return absl::OkStatus();
  }
  if (stem.channels() < 1 || stem.channels() > 2)
    return absl::InvalidArgumentError("wrong number of channels");
  UNBRAID_ASSIGN_OR_RETURN(
      result->samples, audio::InterleavedSamples(stem.samples(), stem.frames(), stem.channels()));
  if (!audio::AllFinite(result->samples.data(), static_cast<int64_t>(result->samples.size()))) {
    Fail("NON_FINITE_RESULT", "the model yielded samples that are no numbers", result);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Result> ParseResult(const std::string& body) {
  internal::v1::ChunkResult message;
  if (!message.ParseFromString(body))
    return absl::InvalidArgumentError("the body is no ChunkResult");
  Result result;
  result.id = base::SeparationId(message.separation_id());
  result.attempt = message.attempt();
  result.chunk = message.chunk_index();
  result.try_number = message.try_();
  result.worker = message.worker();
  result.compute_seconds = message.compute_seconds();
  switch (message.outcome_case()) {
    case internal::v1::ChunkResult::kStem:
      UNBRAID_RETURN_IF_ERROR(TakeSamples(message.stem(), &result));
      return result;
    case internal::v1::ChunkResult::kFailure:
      result.failure_reason =
          message.failure().reason().empty() ? "UNKNOWN" : message.failure().reason();
      result.failure_message = message.failure().message();
      return result;
    default:
      return absl::InvalidArgumentError("the result holds neither samples nor a failure");
  }
}

}  // namespace unbraid::assembler
