#include "services/assembler/job.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace unbraid::assembler {
namespace {

std::string Clock(double seconds) {
  constexpr int kMinute = 60;
  const auto minutes = static_cast<int>(seconds / kMinute);
  return absl::StrFormat("%d:%04.1f", minutes, seconds - minutes * kMinute);
}

}  // namespace

bool IsTerminal(v1::Separation::State state) {
  return state == v1::Separation::STATE_SUCCEEDED || state == v1::Separation::STATE_FAILED ||
         state == v1::Separation::STATE_CANCELLED;
}

bool Job::ended() const { return IsTerminal(separation.state()); }

bool Job::ChunkDone(int64_t chunk) const {
  const uint32_t all = (uint32_t{1} << static_cast<unsigned>(computed_stems())) - 1;
  return chunk_records[static_cast<size_t>(chunk)].stems_done == all;
}

int64_t Job::ChunksDone() const {
  int64_t done = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) done += ChunkDone(chunk) ? 1 : 0;
  return done;
}

int Job::ComputedPosition(int model_stem) const {
  const auto& stems = open.computed_stems();
  const auto found = std::find(stems.begin(), stems.end(), model_stem);
  return found == stems.end() ? -1 : static_cast<int>(found - stems.begin());
}

std::string Job::DescribeChunk(int64_t chunk) const {
  const double rate = open.model_rate_hz();
  const auto stride = static_cast<double>(open.window_frames() - open.overlap_frames());
  const double begin = static_cast<double>(chunk) * stride / rate;
  const double end = std::min(begin + static_cast<double>(open.window_frames()) / rate,
                              static_cast<double>(model_frames) / rate);
  return absl::StrFormat("chunk %d (%s to %s)", chunk, Clock(begin), Clock(end));
}

audio::OutputFormat Job::output_format() const {
  const v1::OutputFormat& format = open.separation().output_format();
  audio::OutputFormat result;
  result.container = format.container() == v1::OutputFormat::CONTAINER_FLAC
                         ? audio::OutputContainer::kFlac
                         : audio::OutputContainer::kWav;
  result.sample_format = static_cast<audio::SampleFormat>(format.sample_format());
  return result;
}

}  // namespace unbraid::assembler
