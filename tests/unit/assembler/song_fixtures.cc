// What tests make of a song: the song itself, its record, its files.
#include <algorithm>
#include <catch2/catch.hpp>

#include "services/common/audio/interleave.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {

std::vector<float> Song::Floats() const {
  constexpr uint64_t kSeed = 1'000'000'007;
  std::vector<float> floats;
  for (int64_t i = 0; i < frames * channels; ++i)
    floats.push_back(Noise(kSeed + static_cast<uint64_t>(i)));
  return floats;
}

std::vector<internal::v1::PutSongRequest> Song::SongParts(int64_t part_frames, int attempt) const {
  const std::vector<float> floats = Floats();
  std::vector<internal::v1::PutSongRequest> parts;
  for (int64_t frame = 0; frame < frames; frame += part_frames) {
    internal::v1::PutSongRequest& part = parts.emplace_back();
    if (frame == 0) {
      part.set_separation_id(id);
      part.set_attempt(attempt);
    }
    const int64_t count = std::min(part_frames, frames - frame) * channels;
    part.set_samples(std::string(audio::AsBytes(floats.data() + frame * channels, count)));
    part.set_crc32c(base::Crc32c(part.samples()));
  }
  return parts;
}

Job PlannedJob(const Song& song) {
  Job job;
  job.id = song.separation_id();
  job.open = song.Open();
  job.separation = job.open.separation();
  job.separation.set_attempt(1);
  job.model_frames = song.model_frames;
  job.chunks = song.chunks();
  job.chunk_records.assign(static_cast<size_t>(job.chunks), ChunkRecord());
  return job;
}

void WriteAllChunks(const Song& song, const ChunkFiles& files) {
  REQUIRE(files.MakeFolders().ok());
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) {
    for (int stem : song.computed)
      REQUIRE(files.WriteChunks({{chunk, stem, song.Samples(chunk, stem).samples}}).ok());
  }
}

absl::Status Bench::PutSong(const Song& song, int attempt) {
  constexpr int64_t kPartFrames = 50;
  const base::SeparationId id = song.separation_id();
  UNBRAID_ASSIGN_OR_RETURN(const auto intake,
                           On([&](Engine& e) { return e.BeginSong(id, attempt); }));
  if (intake == nullptr) return absl::OkStatus();
  for (const auto& part : song.SongParts(kPartFrames, attempt))
    UNBRAID_RETURN_IF_ERROR(intake->Write(part));
  UNBRAID_RETURN_IF_ERROR(intake->Finish());
  return On([&](Engine& e) { return e.TakeSong(id, attempt, intake->path()); });
}

Song ShiftedSong() {
  Song song;
  song.rate_hz = song.model_rate_hz = 100;
  song.frames = song.model_frames = 60;
  song.window = 32;
  song.overlap = 8;
  song.shifts = 3;
  return song;
}

}  // namespace unbraid::assembler
