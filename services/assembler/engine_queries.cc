#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/assembler/engine.h"
#include "services/common/base/status.h"

// Calls that change nothing but the time of the last use.

namespace unbraid::assembler {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 1000;

absl::StatusOr<int> PageSize(int wanted) {
  if (wanted == 0) return kDefaultPageSize;
  if (wanted > 0 && wanted <= kMaxPageSize) return wanted;
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_SIZE",
                     absl::StrCat("A page has 1 to ", kMaxPageSize, " entries."));
}

v1::Chunk::State StateOf(const Job& job, int64_t chunk) {
  if (chunk < job.joined) return v1::Chunk::STATE_JOINED;
  if (job.ChunkDone(chunk)) return v1::Chunk::STATE_DONE;
  return job.chunk_records[static_cast<size_t>(chunk)].stems_done != 0 ? v1::Chunk::STATE_PARTIAL
                                                                       : v1::Chunk::STATE_PENDING;
}

v1::Chunk ToProto(const Job& job, const audio::Passes& passes, int64_t index) {
  constexpr int64_t kMillis = 1000;
  constexpr double kMicros = 1e6;
  const ChunkRecord& record = job.chunk_records[static_cast<size_t>(index)];
  const int64_t rate = job.open.model_rate_hz();
  const audio::TrackSpan span = passes.InTrack(index);
  v1::Chunk chunk;
  chunk.set_index(index);
  *chunk.mutable_start() = TimeUtil::MillisecondsToDuration(span.first * kMillis / rate);
  *chunk.mutable_length() =
      TimeUtil::MillisecondsToDuration((span.end - span.first) * kMillis / rate);
  chunk.set_state(StateOf(job, index));
  chunk.set_worker(record.worker);
  chunk.set_attempts(record.tries);
  chunk.set_result_bytes(record.bytes);
  if (record.stems_done != 0) {
    *chunk.mutable_compute_time() =
        TimeUtil::MicrosecondsToDuration(static_cast<int64_t>(record.compute_seconds * kMicros));
  }
  return chunk;
}

}  // namespace

absl::StatusOr<v1::Separation> Engine::Get(const std::string& owner, base::SeparationId id) {
  UNBRAID_ASSIGN_OR_RETURN(Job job, Find(owner, id));
  return std::move(job.separation);
}

absl::StatusOr<v1::ListSeparationsResponse> Engine::List(
    const std::string& owner, const v1::ListSeparationsRequest& request) {
  UNBRAID_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  if (!request.track().empty())
    UNBRAID_RETURN_IF_ERROR(base::ParseTrackName(request.track()).status());
  UNBRAID_ASSIGN_OR_RETURN(SeparationStore::Page page,
                           store_->List(owner, request.track(), page_size, request.page_token()));
  v1::ListSeparationsResponse response;
  for (v1::Separation& separation : page.separations) {
    // The record of an active one is as old as its last change of state.
    const absl::StatusOr<base::SeparationId> id = base::ParseSeparationName(separation.name());
    const Active* active = id.ok() ? FindActive(*id) : nullptr;
    if (active != nullptr) separation = active->job.separation;
    *response.add_separations() = std::move(separation);
  }
  response.set_next_page_token(page.next_token);
  return response;
}

absl::StatusOr<v1::ListChunksResponse> Engine::ListChunks(const std::string& owner,
                                                          const v1::ListChunksRequest& request) {
  UNBRAID_ASSIGN_OR_RETURN(const auto id, base::ParseSeparationName(request.parent()));
  UNBRAID_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  UNBRAID_ASSIGN_OR_RETURN(const Job job, Find(owner, id));
  int64_t first = 0;
  if (!request.page_token().empty() &&
      (!absl::SimpleAtoi(request.page_token(), &first) || first < 0 || first > job.chunks)) {
    return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_TOKEN",
                       "The page token is none of this service's; begin again without one.");
  }
  const int64_t end = std::min(job.chunks, first + page_size);
  v1::ListChunksResponse response;
  if (job.chunks == 0) return response;
  const audio::Passes passes = job.passes();
  for (int64_t index = first; index < end; ++index)
    *response.add_chunks() = ToProto(job, passes, index);
  if (end < job.chunks) response.set_next_page_token(absl::StrCat(end));
  return response;
}

absl::StatusOr<Engine::Download> Engine::FindDownload(const std::string& owner,
                                                      const base::StemRef& stem) {
  UNBRAID_ASSIGN_OR_RETURN(const Job job, Find(owner, stem.separation));
  if (job.separation.state() != v1::Separation::STATE_SUCCEEDED) {
    return base::Error(absl::StatusCode::kFailedPrecondition, "NOT_READY",
                       absl::StrCat(job.separation.name(),
                                    " has no results yet; watch it until it is SUCCEEDED."));
  }
  std::vector<std::string> names;
  for (const v1::StemFile& output : job.separation.outputs()) {
    if (output.stem() == stem.stem) {
      Use(job);
      const ChunkFiles files(options_.data_folder, job.id, job.attempt());
      return Download{output, files.OutputPath(output.stem(), output.extension())};
    }
    names.push_back(output.stem());
  }
  return base::Error(absl::StatusCode::kNotFound, "UNKNOWN_STEM",
                     absl::StrCat(job.separation.name(), " has no output \"", stem.stem,
                                  "\". It has: ", absl::StrJoin(names, ", "), "."));
}

absl::StatusOr<FollowPlan> Engine::PlanFollow(const std::string& owner, const base::StemRef& stem) {
  UNBRAID_ASSIGN_OR_RETURN(const Job job, Find(owner, stem.separation));
  Use(job);
  return MakeFollowPlan(job, ChunkFiles(options_.data_folder, job.id, job.attempt()), stem.stem);
}

}  // namespace unbraid::assembler
