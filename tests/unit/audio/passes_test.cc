#include "services/common/audio/passes.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <numeric>

namespace unbraid::audio {
namespace {

using Numbers = std::vector<int64_t>;

ChunkGeometry Make(int64_t window, int64_t overlap) {
  return ChunkGeometry::Create(window, overlap).value();
}

// Windows of 64 frames every 48; silences on both sides of that, and none.
Passes Some(int64_t frames) { return {Make(64, 16), {70, 0, 33}, frames}; }

TEST_CASE("the silences before the passes are what the documented generator gives") {
  // Computed by another implementation of it.
  CHECK(PassSilences(4, 0, 44'100) == Numbers{122, 5048, 20293, 15992});
  CHECK(PassSilences(3, 1, 44'100) == Numbers{5614, 593, 19251});
  CHECK(PassSilences(2, -1, 44'100) == Numbers{6268, 20370});
  CHECK(PassSilences(16, 42, 8000) == Numbers{2290, 3814, 1208, 542, 183, 2511, 3791, 151, 1773, 59,
                                              1677, 1259, 1139, 2567, 48, 3791});
}

TEST_CASE("without shifts there is one pass without silence, whatever the seed") {
  CHECK(PassSilences(0, 0, 44'100) == Numbers{0});
  CHECK(PassSilences(0, 77, 44'100) == Numbers{0});
}

TEST_CASE("silences last up to half a second, all lengths alike") {
  constexpr int kSeeds = 2000;
  constexpr int kRate = 9;  // 0 to 4 frames
  std::map<int64_t, int> counts;
  for (int64_t seed = 0; seed < kSeeds; ++seed) {
    for (const int64_t silence : PassSilences(kMaxShifts, seed, kRate)) ++counts[silence];
  }
  REQUIRE(counts.size() == 5);
  CHECK(counts.begin()->first == 0);
  CHECK(counts.rbegin()->first == 4);
  // 6400 of each are expected, with a deviation of 72.
  for (const auto& [silence, count] : counts) CHECK(std::abs(count - 6400) < 360);
}

TEST_CASE("the silences of further passes change nothing for the first ones") {
  const Numbers most = PassSilences(kMaxShifts, 5, 48'000);
  for (int shifts = 1; shifts < kMaxShifts; ++shifts)
    CHECK(PassSilences(shifts, 5, 48'000) == Numbers(most.begin(), most.begin() + shifts));
}

TEST_CASE("chunks of passes are numbered one pass after the other") {
  const Passes passes = Some(100);  // 170, 100 and 133 frames
  CHECK(passes.count() == 3);
  CHECK(passes.ChunkCount() == 4 + 3 + 3);
  CHECK(passes.FirstChunk(0) == 0);
  CHECK(passes.FirstChunk(1) == 4);
  CHECK(passes.FirstChunk(2) == 7);
  CHECK(passes.FirstChunk(3) == 10);
  Numbers pass_of;
  for (int64_t chunk = 0; chunk <= passes.ChunkCount(); ++chunk)
    pass_of.push_back(passes.PassOf(chunk));
  CHECK(pass_of == Numbers{0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3});
}

TEST_CASE("a chunk lies in the track where its pass has it, less the silence") {
  const Passes passes = Some(100);
  const ChunkSpan first = passes.Span(0);  // silence only
  CHECK(first.offset == -70);
  CHECK(first.useful == 64);
  CHECK(first.window_start == -70);
  CHECK(passes.InTrack(0).end == 0);
  const ChunkSpan second = passes.Span(1);
  CHECK(second.offset == -22);
  CHECK(passes.InTrack(1).first == 0);
  CHECK(passes.InTrack(1).end == 42);
  const ChunkSpan last = passes.Span(9);  // centred in its window, as any short last one
  CHECK(last.offset == 63);
  CHECK(last.useful == 37);
  CHECK(last.lead == 13);
  CHECK(last.window_start == 50);
  CHECK(passes.InTrack(9).first == 63);
  CHECK(passes.InTrack(9).end == 100);
}

TEST_CASE("each pass covers every frame of the track, once or twice") {
  for (int64_t frames = 1; frames < 200; ++frames) {
    const Passes passes = Some(frames);
    for (int pass = 0; pass < passes.count(); ++pass) {
      std::vector<int> covered(static_cast<size_t>(frames), 0);
      for (int64_t chunk = passes.FirstChunk(pass); chunk < passes.FirstChunk(pass + 1); ++chunk) {
        const TrackSpan span = passes.InTrack(chunk);
        for (int64_t i = span.first; i < span.end; ++i) ++covered[static_cast<size_t>(i)];
      }
      const auto [least, most] = std::minmax_element(covered.begin(), covered.end());
      REQUIRE(*least >= 1);
      REQUIRE(*most <= 2);
    }
  }
}

TEST_CASE("as many chunks are ready as have their windows in the beginning of the track") {
  const Passes passes = Some(300);
  for (int64_t frames = 0; frames < 300; ++frames) {
    int64_t ready = 0;
    while (passes.Span(ready).window_start + 64 <= frames) ++ready;
    REQUIRE(passes.ReadyChunks(frames) == ready);
  }
  CHECK(passes.ReadyChunks(300) == passes.ChunkCount());
}

TEST_CASE("a pass yields frames of the track once its silence is joined") {
  const Passes passes = Some(100);
  const auto joined = [&](int pass) {
    Numbers frames;
    for (int64_t chunk = 0; chunk <= passes.ChunkCount(); ++chunk)
      frames.push_back(passes.JoinedFrames(pass, chunk));
    return frames;
  };
  CHECK(joined(0) == Numbers{0, 0, 26, 74, 100, 100, 100, 100, 100, 100, 100});
  CHECK(joined(1) == Numbers{0, 0, 0, 0, 0, 48, 96, 100, 100, 100, 100});
  CHECK(joined(2) == Numbers{0, 0, 0, 0, 0, 0, 0, 0, 15, 63, 100});
}

}  // namespace
}  // namespace unbraid::audio
