#include "services/common/base/ids.h"

#include <catch2/catch.hpp>
#include <limits>

#include "services/common/base/status.h"
#include "services/common/base/utf8.h"

namespace unbraid::base {
namespace {

TEST_CASE("an id is the first 63 bits of the digest") {
  CHECK(TrackId::FromDigest(Sha256Of("abc")).value() == 0xba7816bf8f01cfeaULL >> 1);
  Sha256Digest ones;
  ones.fill(0xff);
  CHECK(TrackId::FromDigest(ones).value() == std::numeric_limits<int64_t>::max());
}

TEST_CASE("names and ids go back and forth") {
  for (const int64_t value : {int64_t{0}, int64_t{42}, std::numeric_limits<int64_t>::max()}) {
    CHECK(ParseTrackName(TrackName(TrackId(value)))->value() == value);
    CHECK(ParseSeparationName(SeparationName(SeparationId(value)))->value() == value);
    const auto stem = ParseStemName(StemName(SeparationId(value), "vocals"));
    REQUIRE(stem.ok());
    CHECK(stem->separation.value() == value);
    CHECK(stem->stem == "vocals");
  }
  CHECK(TrackName(TrackId(42)) == "tracks/42");
  CHECK(StemName(SeparationId(42), "mix") == "separations/42/stems/mix");
}

TEST_CASE("one thing has one name: other spellings are refused") {
  for (const char* name :
       {"", "42", "tracks/", "tracks/042", "tracks/+42", "tracks/-1", "tracks/ 42", "tracks/4x",
        "tracks/9223372036854775808", "tracks/42/", "separations/42", "tracks/0x1"}) {
    INFO(name);
    const auto id = ParseTrackName(name);
    CHECK(id.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(ReasonOf(id.status()) == "INVALID_NAME");
    CHECK_THAT(std::string(id.status().message()), Catch::Contains("tracks/NUMBER"));
  }
  CHECK(ReasonOf(ParseSeparationName("tracks/1").status()) == "INVALID_NAME");
  for (const char* name : {"separations/1", "separations/1/stems/", "separations/x/stems/vocals",
                           "separations/1/stems/a/b", "separations/1/stems/../x"}) {
    INFO(name);
    CHECK(ReasonOf(ParseStemName(name).status()) == "INVALID_NAME");
  }
}

TEST_CASE("Case 31: a name in a refusal is cut and escaped") {
  const absl::Status status = ParseTrackName(std::string(1000, 'x') + "\n").status();
  CHECK(status.message().size() < 200);
  CHECK(IsUtf8(ParseTrackName(std::string(79, 'x') + "é").status().message()));
  CHECK_THAT(std::string(ParseTrackName("a\nb").status().message()), Catch::Contains("a\\nb"));
}

}  // namespace
}  // namespace unbraid::base
