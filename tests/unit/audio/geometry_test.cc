#include "services/common/audio/geometry.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <utility>
#include <vector>

namespace unbraid::audio {
namespace {

ChunkGeometry Make(int64_t window, int64_t overlap) {
  return ChunkGeometry::Create(window, overlap).value();
}

// Lengths around every border of the rule.
std::vector<int64_t> Lengths(const ChunkGeometry& geometry) {
  const int64_t s = geometry.stride();
  const int64_t l = geometry.window();
  std::set<int64_t> lengths = {1, 2, 3};
  for (int64_t base : {s, l, 2 * s, 2 * l, s + l, 3 * s, 7 * s, s - geometry.overlap()}) {
    for (int64_t off = -2; off <= 2; ++off) {
      if (base + off > 0) lengths.insert(base + off);
    }
  }
  return {lengths.begin(), lengths.end()};
}

// What must hold for every chunk on its own.
void CheckChunk(const ChunkGeometry& geometry, int64_t index, int64_t total) {
  const ChunkSpan span = geometry.Span(index, total);
  CHECK(span.offset == index * geometry.stride());
  CHECK(span.useful == std::min(geometry.window(), total - span.offset));
  CHECK(span.useful > 0);
  CHECK(span.lead == (geometry.window() - span.useful) / 2);
  CHECK(span.window_start == span.offset - span.lead);
  CHECK(span.lead + span.useful <= geometry.window());
}

void CheckCoverage(const ChunkGeometry& geometry, int64_t total) {
  std::vector<int> covered(static_cast<size_t>(total), 0);
  const int64_t chunks = geometry.ChunkCount(total);
  CHECK((chunks - 1) * geometry.stride() < total);
  CHECK(chunks * geometry.stride() >= total);
  for (int64_t k = 0; k < chunks; ++k) {
    CheckChunk(geometry, k, total);
    const ChunkSpan span = geometry.Span(k, total);
    for (int64_t i = 0; i < span.useful; ++i) ++covered[static_cast<size_t>(span.offset + i)];
  }
  const auto [least, most] = std::minmax_element(covered.begin(), covered.end());
  CHECK(*least >= 1);
  CHECK(*most <= 2);
}

TEST_CASE("Cases 4, 5: every frame is covered by one or two chunks, at every length") {
  for (const auto& [window, overlap] : std::vector<std::pair<int64_t, int64_t>>{
           {2, 0}, {2, 1}, {3, 1}, {7, 0}, {7, 3}, {8, 4}, {64, 16}, {101, 50}, {100, 1}}) {
    const ChunkGeometry geometry = Make(window, overlap);
    for (int64_t total : Lengths(geometry)) {
      CAPTURE(window, overlap, total);
      CheckCoverage(geometry, total);
    }
  }
}

TEST_CASE("a track of no frames has no chunks") { CHECK(Make(64, 16).ChunkCount(0) == 0); }

TEST_CASE("one stride is one chunk and one frame more is two") {
  const ChunkGeometry geometry = Make(262'144, 41'644);
  CHECK(geometry.stride() == 220'500);
  CHECK(geometry.ChunkCount(220'499) == 1);
  CHECK(geometry.ChunkCount(220'500) == 1);
  CHECK(geometry.ChunkCount(220'501) == 2);
  CHECK(geometry.ChunkCount(262'144) == 2);
}

TEST_CASE("a short last chunk is centred, so that it keeps its left context") {
  const ChunkGeometry geometry = Make(100, 25);
  const ChunkSpan last = geometry.Span(1, 85);
  CHECK(last.offset == 75);
  CHECK(last.useful == 10);
  CHECK(last.lead == 45);
  CHECK(last.window_start == 30);
}

TEST_CASE("an odd rest is rounded down, as Demucs does") {
  const ChunkSpan only = Make(100, 25).Span(0, 75);
  CHECK(only.lead == 12);
  CHECK(only.window_start == -12);
}

TEST_CASE("a length beyond 32 bits is cut right") {
  const ChunkGeometry geometry = Make(343'980, 85'995);
  constexpr int64_t kDay = int64_t{192'000} * 86'400;
  const int64_t chunks = geometry.ChunkCount(kDay);
  CHECK(chunks == (kDay + 257'984) / 257'985);
  CHECK(geometry.Span(chunks - 1, kDay).offset + geometry.Span(chunks - 1, kDay).useful == kDay);
}

TEST_CASE("windows and overlaps that break the rule are refused") {
  for (const auto& [window, overlap] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 0}, {1, 0}, {-4, 0}, {8, -1}, {8, 5}, {7, 4}, {8, 8}}) {
    CAPTURE(window, overlap);
    CHECK(ChunkGeometry::Create(window, overlap).status().code() ==
          absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace unbraid::audio
