#include "services/assembler/result_intake.h"

#include <cmath>
#include <utility>

#include "services/common/audio/interleave.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/base/utf8.h"
#include "services/common/samples/beside.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::assembler {
namespace {

// Of a model's words, which may be a long traceback; they are told to clients in headers.
constexpr size_t kMaxFailureBytes = 1000;

void Fail(const char* reason, absl::string_view message, Result* result) {
  result->failure_reason = reason;
  result->failure_message = std::string(message);
  result->samples.clear();
}

// Reads the samples beside the message, if that is where they are.
bool HasSamples(const store::ObjectFolder* objects, internal::v1::StemSamples* stem,
                Result* result) {
  if (!stem->has_samples_object()) return true;
  result->object = stem->samples_object().uri();
  result->fetched = samples::Fetch(objects, stem);
  if (result->fetched.ok()) return true;
  Fail(samples::kSamplesMissing, samples::MissingText(stem->samples_object()), result);
  return false;
}

void TakeSamples(const internal::v1::StemSamples& stem, Result* result) {
  if (base::Crc32c(stem.samples()) != stem.samples_crc32c()) {
    return Fail("BAD_CHECKSUM", "the result was damaged on its way to the assembler", result);
  }
  absl::StatusOr<std::vector<float>> samples =
      absl::InvalidArgumentError("wrong number of channels");
  if (stem.channels() >= 1 && stem.channels() <= 2)
    samples = audio::InterleavedSamples(stem.samples(), stem.frames(), stem.channels());
  if (!samples.ok()) {
    return Fail("BAD_RESULT", "the result's size is not that of its frames and channels", result);
  }
  result->samples = *std::move(samples);
  if (!audio::AllFinite(result->samples.data(), static_cast<int64_t>(result->samples.size()))) {
    Fail("NON_FINITE_RESULT", "the model yielded samples that are no numbers", result);
  }
}

// For people and figures only, so anything odd becomes "unknown".
double Seconds(double seconds) {
  constexpr double kDay = 86'400;
  return std::isfinite(seconds) && seconds >= 0 && seconds <= kDay ? seconds : 0;
}

}  // namespace

absl::StatusOr<Result> ParseResult(const std::string& body, const store::ObjectFolder* objects) {
  internal::v1::ChunkResult message;
  if (!message.ParseFromString(body))
    return absl::InvalidArgumentError("the body is no ChunkResult");
  Result result;
  result.id = base::SeparationId(message.separation_id());
  result.attempt = message.attempt();
  result.chunk = message.chunk_index();
  result.try_number = message.try_();
  result.worker = message.worker();
  result.compute_seconds = Seconds(message.compute_seconds());
  switch (message.outcome_case()) {
    case internal::v1::ChunkResult::kStem:
      result.stem = message.stem().stem_index();
      result.channels = message.stem().channels();
      result.frames = message.stem().frames();
      if (HasSamples(objects, message.mutable_stem(), &result))
        TakeSamples(message.stem(), &result);
      return result;
    case internal::v1::ChunkResult::kFailure:
      result.failure_reason =
          message.failure().reason().empty() ? "UNKNOWN" : message.failure().reason();
      result.failure_message = base::ToLabel(message.failure().message(), kMaxFailureBytes);
      return result;
    default:
      return absl::InvalidArgumentError("the result holds neither samples nor a failure");
  }
}

}  // namespace unbraid::assembler
