#include "services/assembler/joined_stem.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {

absl::StatusOr<JoinedStem> JoinedStem::Open(const std::string& path, const JoinedShape& shape,
                                            int64_t first_frame) {
  UNBRAID_ASSIGN_OR_RETURN(store::File file, store::File::Open(path, store::File::Mode::kRead));
  return JoinedStem(std::move(file), shape, first_frame);
}

absl::Status JoinedStem::Read(int64_t frames, std::vector<float>* out) {
  if (resampler_ == nullptr) {
    UNBRAID_ASSIGN_OR_RETURN(
        resampler_, audio::Resampler::Create(shape_.model_rate_hz, shape_.rate_hz, shape_.channels,
                                             shape_.frames - first_frame_));
  }
  if (frames == 0) return resampler_->Finish(out);
  const int64_t frame_bytes = shape_.channels * static_cast<int64_t>(sizeof(float));
  std::vector<float> samples(static_cast<size_t>(frames * shape_.channels));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file_.ReadAt(position_ * frame_bytes,
                                                           reinterpret_cast<char*>(samples.data()),
                                                           frames * frame_bytes));
  if (got != frames * frame_bytes) {
    return absl::DataLossError(absl::StrCat(file_.path(), " is shorter than its record says"));
  }
  position_ += frames;
  return resampler_->Process(samples.data(), frames, out);
}

void MixStems(absl::Span<const std::vector<float>> stems, absl::Span<const double> gains,
              std::vector<float>* mix) {
  mix->resize(stems.front().size());
  // Stem by stem in blocks that stay in the cache: the same sums as sample by sample, in vector
  // instructions.
  constexpr size_t kBlock = 1024;
  std::array<double, kBlock> sums;
  for (size_t begin = 0; begin < mix->size(); begin += kBlock) {
    const size_t count = std::min(kBlock, mix->size() - begin);
    sums.fill(0);
    for (size_t stem = 0; stem < stems.size(); ++stem) {
      const float* samples = stems[stem].data() + begin;
      const double gain = gains[stem];
      for (size_t i = 0; i < count; ++i) sums[i] += gain * static_cast<double>(samples[i]);
    }
    for (size_t i = 0; i < count; ++i) (*mix)[begin + i] = static_cast<float>(sums[i]);
  }
}

absl::Status CheckOutput(absl::Span<const float> samples, absl::string_view output,
                         const JoinedShape& shape, int64_t first_frame) {
  if (audio::AllFinite(samples.data(), static_cast<int64_t>(samples.size())))
    return absl::OkStatus();
  const auto bad = std::find_if(samples.begin(), samples.end(),
                                [](float sample) { return !std::isfinite(sample); });
  const int64_t frame = first_frame + (bad - samples.begin()) / shape.channels;
  return base::Error(
      absl::StatusCode::kFailedPrecondition, "OUTPUT_NOT_FINITE",
      absl::StrFormat("The output '%s' has a sample that is no number, at %.3f s: the song is far "
                      "above full scale. Turn it down, or the gains of the mix.",
                      output, static_cast<double>(frame) / shape.rate_hz));
}

}  // namespace unbraid::assembler
