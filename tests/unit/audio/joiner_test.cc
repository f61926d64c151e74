#include "services/common/audio/joiner.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "tests/unit/audio/files.h"

namespace unbraid::audio {
namespace {

constexpr int kChannels = 2;

ChunkGeometry Make(int64_t window, int64_t overlap) {
  return ChunkGeometry::Create(window, overlap).value();
}

// Each chunk's kept frames, cut out of `track` and changed by `change(chunk, sample)`.
template <typename Change>
std::vector<std::vector<float>> Cut(const ChunkGeometry& geometry, const std::vector<float>& track,
                                    Change change) {
  const int64_t total = static_cast<int64_t>(track.size()) / kChannels;
  std::vector<std::vector<float>> chunks;
  for (int64_t k = 0; k < geometry.ChunkCount(total); ++k) {
    const ChunkSpan span = geometry.Span(k, total);
    const auto begin = track.begin() + span.offset * kChannels;
    std::vector<float>& chunk = chunks.emplace_back(begin, begin + span.useful * kChannels);
    for (float& sample : chunk) sample = change(k, sample);
  }
  return chunks;
}

std::vector<float> Join(const ChunkGeometry& geometry, int64_t total,
                        const std::vector<std::vector<float>>& chunks) {
  Joiner joiner(geometry, total, kChannels);
  std::vector<float> out;
  for (const std::vector<float>& chunk : chunks) REQUIRE(joiner.Push(chunk, &out).ok());
  return out;
}

// The rule as DESIGN writes it, over the whole track at once.
std::vector<double> NaiveJoin(const ChunkGeometry& geometry, int64_t total,
                              const std::vector<std::vector<float>>& chunks) {
  std::vector<double> sum(static_cast<size_t>(total * kChannels));
  std::vector<double> weights(static_cast<size_t>(total));
  for (size_t k = 0; k < chunks.size(); ++k) {
    const ChunkSpan span = geometry.Span(static_cast<int64_t>(k), total);
    for (int64_t i = 0; i < span.useful; ++i) {
      const auto weight = static_cast<double>(std::min(i + 1, geometry.window() - i));
      weights[static_cast<size_t>(span.offset + i)] += weight;
      for (int c = 0; c < kChannels; ++c) {
        sum[static_cast<size_t>((span.offset + i) * kChannels + c)] +=
            weight * static_cast<double>(chunks[k][static_cast<size_t>(i * kChannels + c)]);
      }
    }
  }
  for (size_t i = 0; i < sum.size(); ++i) sum[i] /= weights[i / kChannels];
  return sum;
}

const std::vector<ChunkGeometry>& Geometries() {
  static const std::vector<ChunkGeometry> all = {Make(2, 1),  Make(7, 3),   Make(8, 4),
                                                 Make(10, 0), Make(64, 16), Make(101, 50)};
  return all;
}

std::vector<int64_t> Lengths(const ChunkGeometry& geometry) {
  const int64_t s = geometry.stride();
  const int64_t l = geometry.window();
  return {1,     2,         s,         s + 1,         l,     l + 1,        2 * s - 1,
          2 * s, 2 * s + 1, 2 * s + l, 3 * s + l - 1, 5 * s, 7 * s + l / 2};
}

TEST_CASE("Cases 2, 6: chunks that are a fixed fraction of the track join to exactly that") {
  for (const ChunkGeometry& geometry : Geometries()) {
    for (int64_t total : Lengths(geometry)) {
      CAPTURE(geometry.window(), geometry.overlap(), total);
      const std::vector<float> track = Noise(total * kChannels);
      for (float fraction : {1.0F, 0.4F, 0.3F, 0.1F}) {
        const auto scale = [fraction](float sample) { return sample * fraction; };
        std::vector<float> wanted(track.size());
        std::transform(track.begin(), track.end(), wanted.begin(), scale);
        const auto chunks = Cut(geometry, track, [&](int64_t, float s) { return scale(s); });
        CHECK(Difference(Join(geometry, total, chunks), wanted) == "");
      }
    }
  }
}

TEST_CASE("Case 1: where chunks differ they are cross-faded by the weights, rounded once") {
  for (const ChunkGeometry& geometry : Geometries()) {
    for (int64_t total : Lengths(geometry)) {
      CAPTURE(geometry.window(), geometry.overlap(), total);
      const auto chunks = Cut(geometry, Noise(total * kChannels), [](int64_t k, float sample) {
        return sample * (1.0F + 0.25F * static_cast<float>(k % 3)) + 0.01F * static_cast<float>(k);
      });
      const std::vector<float> out = Join(geometry, total, chunks);
      const std::vector<double> naive = NaiveJoin(geometry, total, chunks);
      REQUIRE(out.size() == naive.size());
      for (size_t i = 0; i < out.size(); ++i) {
        REQUIRE(std::abs(static_cast<double>(out[i]) - naive[i]) <=
                std::abs(naive[i]) * 6.0e-8 + 1e-30);
      }
    }
  }
}

TEST_CASE("Case 1: a constant step between two chunks becomes a ramp without a jump") {
  const ChunkGeometry geometry = Make(64, 16);
  const std::vector<float> silence(static_cast<size_t>(112 * kChannels));
  const auto chunks =
      Cut(geometry, silence, [](int64_t k, float) { return static_cast<float>(k); });
  const std::vector<float> out = Join(geometry, 112, chunks);
  for (size_t i = kChannels; i < static_cast<size_t>(90 * kChannels); i += kChannels) {
    const float step = out[i] - out[i - kChannels];
    CHECK(step >= 0);
    CHECK(step < 0.1F);
  }
}

TEST_CASE("where one chunk covers a frame it comes out bit for bit") {
  const ChunkGeometry geometry = Make(8, 3);
  const auto chunks =
      Cut(geometry, Noise(21 * kChannels), [](int64_t k, float s) { return s + (k % 2 ? 1 : 0); });
  const std::vector<float> out = Join(geometry, 21, chunks);
  for (int64_t frame : {0, 2, 8, 9, 13, 14}) {
    const int64_t k = frame / geometry.stride();
    const auto in_chunk = static_cast<size_t>((frame - k * geometry.stride()) * kChannels);
    CAPTURE(frame);
    CHECK(out[static_cast<size_t>(frame * kChannels)] == chunks[static_cast<size_t>(k)][in_chunk]);
  }
}

TEST_CASE("a chunk makes final exactly the frames that no later chunk touches") {
  const ChunkGeometry geometry = Make(64, 16);
  constexpr int64_t kTotal = 230;
  const auto chunks = Cut(geometry, Noise(kTotal * kChannels), [](int64_t, float s) { return s; });
  Joiner joiner(geometry, kTotal, kChannels);
  std::vector<float> out;
  for (size_t k = 0; k < chunks.size(); ++k) {
    CHECK(joiner.next_index() == static_cast<int64_t>(k));
    REQUIRE(joiner.Push(chunks[k], &out).ok());
    CHECK(static_cast<int64_t>(out.size()) / kChannels ==
          Joiner::FramesJoinedBefore(geometry, static_cast<int64_t>(k) + 1, kTotal));
  }
  CHECK(static_cast<int64_t>(out.size()) == kTotal * kChannels);
}

TEST_CASE("Case 22: a joiner that resumes at any chunk gives the same bits") {
  for (const ChunkGeometry& geometry : Geometries()) {
    for (int64_t total : Lengths(geometry)) {
      const auto chunks = Cut(geometry, Noise(total * kChannels), [](int64_t k, float sample) {
        return sample + 0.1F * static_cast<float>(k);
      });
      const std::vector<float> whole = Join(geometry, total, chunks);
      for (size_t k = 1; k < chunks.size(); ++k) {
        CAPTURE(geometry.window(), geometry.overlap(), total, k);
        const int64_t before =
            Joiner::FramesJoinedBefore(geometry, static_cast<int64_t>(k), total) * kChannels;
        std::vector<float> out(whole.begin(), whole.begin() + before);
        Joiner joiner(geometry, total, kChannels);
        REQUIRE(joiner.ResumeAt(static_cast<int64_t>(k), chunks[k - 1]).ok());
        for (size_t i = k; i < chunks.size(); ++i) REQUIRE(joiner.Push(chunks[i], &out).ok());
        CHECK(Difference(out, whole) == "");
      }
    }
  }
}

TEST_CASE("a chunk of the wrong size is refused by name and changes nothing") {
  const ChunkGeometry geometry = Make(8, 3);
  Joiner joiner(geometry, 12, kChannels);
  std::vector<float> out;
  const absl::Status status = joiner.Push(std::vector<float>(15), &out);
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(status.message() == "chunk 0 has 15 samples instead of 16");
  CHECK(out.empty());
  CHECK(joiner.next_index() == 0);
}

TEST_CASE("there is nothing to join after the last chunk, and nothing to resume before the first") {
  const ChunkGeometry geometry = Make(8, 3);
  Joiner joiner(geometry, 4, kChannels);
  std::vector<float> out;
  REQUIRE(joiner.Push(std::vector<float>(8), &out).ok());
  CHECK(joiner.Push(std::vector<float>(8), &out).message() == "there is no chunk 1 to join");
  CHECK(Joiner(geometry, 4, kChannels).ResumeAt(0, {}).code() ==
        absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace unbraid::audio
