#include "bench/reference/model_run.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <thread>

#include "services/common/audio/statistics.h"
#include "services/common/base/status.h"
#include "services/worker/torch/torch_separator.h"

namespace unbraid::reference {
namespace {

constexpr int kThreads = 1;

// Normalisation by track; of a model without it, one that changes nothing.
struct Levels {
  double mean = 0;
  double scale = 1;
};

Levels LevelsOf(const Song& song, model::Normalisation normalisation) {
  if (normalisation != model::Normalisation::kTrack) return {};
  audio::TrackStatistics statistics(song.channels);
  statistics.Add(song.samples.data(), song.frames());
  return {statistics.mean(), statistics.Scale()};
}

// Between the song's channels and the model's: a mono song goes into both channels of a stereo
// model, whose outputs are averaged; each channel of a stereo song is a window of a mono model.
class Run {
 public:
  Run(const Song& song, const model::Package& package)
      : song_(song),
        window_(package.window_frames),
        model_channels_(package.channels),
        stems_(static_cast<int>(package.stems.size())),
        levels_(LevelsOf(song, package.normalisation)) {}

  // The planar windows of a cut, all for one call of the model.
  std::vector<float> Windows(const Cut& cut) const {
    const int planes = std::max(song_.channels, model_channels_);
    std::vector<float> windows(static_cast<size_t>(planes * window_), 0.0F);
    for (int plane = 0; plane < planes; ++plane) {
      const int channel = std::min(plane, song_.channels - 1);
      for (int64_t i = 0; i < window_; ++i) {
        const int64_t frame = cut.offset - cut.silence - cut.lead + i;
        if (frame < 0 || frame >= song_.frames()) continue;
        const double sample = song_.samples[static_cast<size_t>(frame * song_.channels + channel)];
        windows[static_cast<size_t>(plane * window_ + i)] =
            static_cast<float>((sample - levels_.mean) / levels_.scale);
      }
    }
    return windows;
  }

  std::vector<float> Keep(const Cut& cut, int stem, const std::vector<float>& output) const {
    std::vector<float> kept(static_cast<size_t>(cut.useful * song_.channels));
    for (int channel = 0; channel < song_.channels; ++channel) {
      const float* first = output.data() + Plane(stem, channel) * window_ + cut.lead;
      const float* second = song_.channels < model_channels_ ? first + window_ : first;
      for (int64_t i = 0; i < cut.useful; ++i) {
        const double mean = (static_cast<double>(first[i]) + static_cast<double>(second[i])) * 0.5;
        kept[static_cast<size_t>(i * song_.channels + channel)] =
            static_cast<float>(mean * levels_.scale + levels_.mean);
      }
    }
    return kept;
  }

 private:
  // Where a stem's channel begins in the output, in windows.
  int64_t Plane(int stem, int channel) const {
    return model_channels_ == 1 ? channel * stems_ + stem : stem * model_channels_ + channel;
  }

  const Song& song_;
  const int64_t window_;
  const int model_channels_;
  const int stems_;
  const Levels levels_;
};

absl::StatusOr<ModelOutput> RunHere(const Song& song, const model::Package& package,
                                    const std::vector<Cut>& cuts) {
  UNBRAID_ASSIGN_OR_RETURN(const auto separator, worker::TorchSeparator::Load(package, kThreads));
  const Run run(song, package);
  ModelOutput kept(package.stems.size());
  std::vector<int> all(package.stems.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<float> output;
  for (const Cut& cut : cuts) {
    UNBRAID_RETURN_IF_ERROR(separator->Separate(run.Windows(cut), all, &output));
    for (size_t stem = 0; stem < kept.size(); ++stem)
      kept[stem].push_back(run.Keep(cut, static_cast<int>(stem), output));
  }
  return kept;
}

}  // namespace

absl::StatusOr<ModelOutput> RunModel(const Song& song, const model::Package& package,
                                     const std::vector<Cut>& cuts) {
  // On a thread of its own: libtorch has denormal numbers flushed to zero on the thread that runs
  // it, and nothing else may be computed like that.
  absl::StatusOr<ModelOutput> kept = absl::UnknownError("not run");
  std::thread model([&] { kept = RunHere(song, package, cuts); });
  model.join();
  return kept;
}

}  // namespace unbraid::reference
