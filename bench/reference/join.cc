#include "bench/reference/join.h"

#include <algorithm>

namespace unbraid::reference {

std::vector<Cut> CutSong(int64_t frames, int64_t silence, int64_t window, int64_t overlap) {
  std::vector<Cut> cuts;
  for (int64_t offset = 0; offset < silence + frames; offset += window - overlap) {
    const int64_t useful = std::min(window, silence + frames - offset);
    cuts.push_back({offset, useful, (window - useful) / 2, silence});
  }
  return cuts;
}

Song Join(const std::vector<Cut>& cuts, const std::vector<std::vector<float>>& kept, int64_t window,
          int rate_hz, int channels) {
  const size_t samples = static_cast<size_t>((cuts.back().offset + cuts.back().useful) * channels);
  // Weights are whole numbers of at most 21 bits, so these sums hold one or two products without
  // loss, or with the one rounding that the rule allows.
  std::vector<double> sums(samples, 0.0);
  std::vector<double> weights(samples, 0.0);
  for (size_t k = 0; k < cuts.size(); ++k) {
    const auto first = static_cast<size_t>(cuts[k].offset * channels);
    for (size_t i = 0; i < kept[k].size(); ++i) {
      const int64_t frame = static_cast<int64_t>(i) / channels;
      const auto weight = static_cast<double>(std::min(frame + 1, window - frame));
      sums[first + i] += weight * static_cast<double>(kept[k][i]);
      weights[first + i] += weight;
    }
  }
  Song joined = {rate_hz, channels, std::vector<float>(samples)};
  for (size_t i = 0; i < samples; ++i) joined.samples[i] = static_cast<float>(sums[i] / weights[i]);
  joined.samples.erase(joined.samples.begin(),
                       joined.samples.begin() + cuts.front().silence * channels);
  return joined;
}

}  // namespace unbraid::reference
