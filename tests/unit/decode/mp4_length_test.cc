#include "services/common/decode/mp4_length.h"

#include <catch2/catch.hpp>
#include <limits>

namespace unbraid::decode {
namespace {

TEST_CASE("Case 2: an edit list in milliseconds does not shorten a song") {
  // 1000 frames at 44.1 kHz are 22.67 ms; the edit list says 22.
  CHECK(ExactMp4Frames({970, 2024, 1024, 89}) == 1000);
  CHECK(ExactMp4Frames({1000, 2024, 1024, 89}) == 1000);
}

TEST_CASE("an edit list that really cuts is obeyed") {
  CHECK(ExactMp4Frames({44'100, 442'024, 1024, 89}) == 44'100);
}

TEST_CASE("media shorter than its priming says nothing") {
  CHECK(ExactMp4Frames({500, 1000, 1024, 89}) == 500);
  CHECK(ExactMp4Frames({0, 1024, 1024, 89}) == 0);
}

TEST_CASE("lengths that are no lengths are left as they are") {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  CHECK(ExactMp4Frames({1000, kLeast, 1024, 89}) == 1000);
  CHECK(ExactMp4Frames({kLeast, kMost, 0, 89}) == kLeast);
  CHECK(ExactMp4Frames({1000, kMost, 0, 89}) == 1000);
}

TEST_CASE("iTunes' tag tells the length in its fourth number") {
  CHECK(FramesOfItunesTag(" 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000") ==
        0x3F31F6);
  CHECK_FALSE(FramesOfItunesTag("").has_value());
  CHECK_FALSE(FramesOfItunesTag(" 00000000 00000840 000001CA").has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 0 0 no number").has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 0 0 0").has_value());
}

}  // namespace
}  // namespace unbraid::decode
