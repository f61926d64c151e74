#include "services/assembler/output_set.h"

#include <algorithm>

#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

constexpr char kMix[] = "mix";
constexpr char kResidual[] = "residual";

}  // namespace

OutputSet::OutputSet(const Job& job, const ChunkFiles& files, base::Crew* crew)
    : job_(job), files_(files), crew_(crew) {
  const auto& wanted = job.open.separation().stems();
  for (int i = 0; i < job.computed_stems(); ++i) {
    const std::string& name = job.open.model_stems(job.open.computed_stems(i));
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end())
      outputs_.push_back({name, static_cast<size_t>(i), nullptr});
  }
  const auto mix = static_cast<size_t>(job.computed_stems());
  outputs_.push_back({kMix, mix, nullptr});
  if (job.open.separation().residual()) outputs_.push_back({kResidual, mix + 1, nullptr});
}

void OutputSet::Measure(const StemReader::Block& block, audio::PeakMeter* meter) const {
  for (const Output& output : outputs_) {
    const std::vector<float>& samples = block[output.source];
    meter->Add(samples.data(), static_cast<int64_t>(samples.size()));
  }
}

absl::Status OutputSet::Create() {
  const audio::OutputFormat format = job_.output_format();
  const v1::Track& track = job_.open.track();
  for (Output& output : outputs_) {
    UNBRAID_ASSIGN_OR_RETURN(
        output.encoder,
        audio::Encoder::Create(files_.OutputPath(output.name, format.Extension()) + ".tmp", format,
                               track.sample_rate_hz(), track.channels(), track.frames(),
                               {track.title(), track.artist(), track.album(), output.name}));
  }
  return absl::OkStatus();
}

void OutputSet::Discard() {
  for (Output& output : outputs_) output.encoder = nullptr;
}

absl::Status OutputSet::Write(const StemReader::Block& block, float gain) {
  return crew_->Run(static_cast<int>(outputs_.size()), [&](int i) {
    const Output& output = outputs_[static_cast<size_t>(i)];
    const std::vector<float>& samples = block[output.source];
    return output.encoder->Write(samples.data(),
                                 static_cast<int64_t>(samples.size()) / job_.channels(), gain);
  });
}

int64_t OutputSet::clipped_samples() const {
  int64_t sum = 0;
  for (const Output& output : outputs_) sum += output.encoder->limited_samples();
  return sum;
}

absl::StatusOr<std::vector<v1::StemFile>> OutputSet::Finish() {
  std::vector<v1::StemFile> results(outputs_.size());
  UNBRAID_RETURN_IF_ERROR(crew_->Run(static_cast<int>(outputs_.size()), [&](int i) -> absl::Status {
    const auto at = static_cast<size_t>(i);
    UNBRAID_ASSIGN_OR_RETURN(results[at], Finish(&outputs_[at]));
    return absl::OkStatus();
  }));
  return results;
}

absl::StatusOr<v1::StemFile> OutputSet::Finish(Output* output) const {
  const audio::OutputFormat format = job_.output_format();
  const v1::Track& track = job_.open.track();
  UNBRAID_RETURN_IF_ERROR(output->encoder->Finish());
  const std::string extension = format.Extension();
  const std::string path = files_.OutputPath(output->name, extension);
  UNBRAID_RETURN_IF_ERROR(store::RenameDurably(path + ".tmp", path));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t size, store::FileSize(path));
  UNBRAID_ASSIGN_OR_RETURN(const base::Sha256Digest digest, base::Sha256OfFile(path));
  v1::StemFile result;
  result.set_name(base::StemName(job_.id, output->name));
  result.set_stem(output->name);
  result.set_size_bytes(size);
  result.set_sha256(base::ToHex(digest));
  result.set_frames(format.Frames(track.frames(), track.sample_rate_hz()));
  result.set_sample_rate_hz(format.RateHz(track.sample_rate_hz()));
  result.set_extension(extension);
  return result;
}

}  // namespace unbraid::assembler
