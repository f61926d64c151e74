#ifndef UNBRAID_SERVICES_SPLITTER_PREPARATION_H_
#define UNBRAID_SERVICES_SPLITTER_PREPARATION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/audio/decoder.h"
#include "services/common/audio/downmix.h"
#include "services/common/audio/resampler.h"
#include "services/common/audio/statistics.h"
#include "services/common/model/package.h"
#include "services/splitter/job.h"
#include "services/splitter/spool_writer.h"

namespace unbraid::splitter {

// What is to be prepared.
struct PreparationInput {
  std::string track_path;
  std::string spool_path;
  std::string song_path;  // where the song goes at its own rate; empty: nowhere
  int track_rate_hz = 0;
  int64_t track_frames = 0;  // exact, as the upload's check counted them
  int model_rate_hz = 0;
  model::Normalisation normalisation = model::Normalisation::kNone;
  int64_t min_free_bytes = 0;
  audio::OpenAudio open_audio;
  audio::DecodeOptions decode;
};

// Decodes a track, mixes it down, resamples it once, and writes it as the spool, and also as it was
// before the resampling if asked to; block by block, so that several can take turns on one thread
// and memory does not grow with the track's length. Not thread-safe; after an error, or when it is
// dropped half-way, unfinished files are removed.
//
// Errors: those of `open_audio`, RESOURCE_EXHAUSTED (DISK_FULL), NOT_FOUND (the file is gone).
class Preparation {
 public:
  static absl::StatusOr<std::unique_ptr<Preparation>> Create(const PreparationInput& input);

  // Works on one block (less than a second of CPU time). True: the files are complete under their
  // names.
  absl::StatusOr<bool> Step();

  // The number of frames is known at once, the rest when Step() said true.
  const Prepared& result() const { return result_; }

  // Where the spool is written until it is complete, and how much of it is there.
  const std::string& part_path() const { return spool_->part_path(); }
  int64_t written_frames() const;

 private:
  Preparation(const PreparationInput& input, std::unique_ptr<audio::AudioReader> decoder,
              int64_t model_frames);

  absl::Status Open();
  absl::Status WriteOut();
  absl::Status Complete();

  const PreparationInput input_;
  const std::unique_ptr<audio::AudioReader> decoder_;
  const audio::Downmix downmix_;
  audio::TrackStatistics statistics_;
  std::unique_ptr<audio::Resampler> resampler_;
  std::unique_ptr<SpoolWriter> spool_;
  std::unique_ptr<SpoolWriter> song_;  // if wanted
  Prepared result_;

  // Kept between blocks to keep their memory.
  std::vector<float> decoded_;
  std::vector<float> mixed_;
  std::vector<float> resampled_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_PREPARATION_H_
