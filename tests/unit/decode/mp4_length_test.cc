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
  const Mp4Lengths lengths{0, 0x3F31F6 + 0x840 + 0x1CA, 0x840, 0};
  CHECK(FramesOfItunesTag(" 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000",
                          lengths) == 0x3F31F6);
  CHECK_FALSE(FramesOfItunesTag("", lengths).has_value());
  CHECK_FALSE(FramesOfItunesTag(" 00000000 00000840 000001CA", lengths).has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 0 0 no number", lengths).has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 0 0 0", lengths).has_value());
}

TEST_CASE("iTunes' tag is not believed where the media has another length") {
  const Mp4Lengths lengths{0, 101'024, 1'024, 0};
  CHECK(FramesOfItunesTag(" 0 400 0 186A0", lengths) == 100'000);
  CHECK(FramesOfItunesTag(" 0 400 0 176A0", lengths) == 95'904);
  CHECK_FALSE(FramesOfItunesTag(" 0 400 0 1769F", lengths).has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 400 0 186A1", lengths).has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 0 0 1", lengths).has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 0 0 7FFFFFFFFFFFFFFF", lengths).has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 0 0 1", {0, -5, 0, 0}).has_value());
  CHECK_FALSE(FramesOfItunesTag(" 0 0 0 1", {0, 5, -5, 0}).has_value());
}

}  // namespace
}  // namespace unbraid::decode
