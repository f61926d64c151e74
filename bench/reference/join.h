#ifndef UNBRAID_BENCH_REFERENCE_JOIN_H_
#define UNBRAID_BENCH_REFERENCE_JOIN_H_

#include <cstdint>
#include <vector>

#include "bench/reference/song.h"

namespace unbraid::reference {

// One window of a song that begins with some silence. The cutting rule, written down once more:
// every S = L - V frames a window of L; what a short last one yields is centred in it.
struct Cut {
  int64_t offset = 0;   // of the first frame that it yields, from the beginning of the silence
  int64_t useful = 0;   // how many it yields
  int64_t lead = 0;     // where they begin in the window
  int64_t silence = 0;  // frames before the song
};

std::vector<Cut> CutSong(int64_t frames, int64_t silence, int64_t window, int64_t overlap);

// Overlap-add: the weighted mean, weights min(i + 1, L - i), of the one or two windows that cover a
// frame, without the silence. `kept[k]`: what window k yields, interleaved.
Song Join(const std::vector<Cut>& cuts, const std::vector<std::vector<float>>& kept, int64_t window,
          int rate_hz, int channels);

}  // namespace unbraid::reference

#endif  // UNBRAID_BENCH_REFERENCE_JOIN_H_
