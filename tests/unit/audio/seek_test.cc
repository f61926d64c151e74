#include "services/common/audio/seek.h"

#include <catch2/catch.hpp>
#include <limits>

namespace unbraid::audio {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

TEST_CASE("a seek goes from the start, from where one is, or from the end") {
  CHECK(SeekTarget(10, 100, 7, SEEK_SET) == 7);
  CHECK(SeekTarget(10, 100, 7, SEEK_CUR) == 17);
  CHECK(SeekTarget(10, 100, -7, SEEK_CUR) == 3);
  CHECK(SeekTarget(10, 100, -7, SEEK_END) == 93);
  CHECK(SeekTarget(10, 100, 7, SEEK_END) == 107);
}

TEST_CASE("a seek before the start or beyond all numbers goes nowhere") {
  CHECK(SeekTarget(10, 100, -1, SEEK_SET) == -1);
  CHECK(SeekTarget(10, 100, -11, SEEK_CUR) == -1);
  CHECK(SeekTarget(104, 1000, kMost, SEEK_CUR) == -1);
  CHECK(SeekTarget(10, 100, kMost, SEEK_END) == -1);
  CHECK(SeekTarget(10, 100, kLeast, SEEK_CUR) == -1);
}

}  // namespace
}  // namespace unbraid::audio
