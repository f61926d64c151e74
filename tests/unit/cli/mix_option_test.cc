#include "clients/cli/mix_option.h"

#include <catch2/catch.hpp>

namespace unbraid::cli {
namespace {

TEST_CASE("reads gains by stem") {
  const auto gains = ParseMix("vocals=0,drums=1.5,bass=-1");
  REQUIRE(gains.ok());
  CHECK(*gains == std::map<std::string, double>{{"vocals", 0}, {"drums", 1.5}, {"bass", -1}});
  REQUIRE(ParseMix("").ok());
  CHECK(ParseMix("")->empty());
}

TEST_CASE("refuses what is not of the form STEM=GAIN, and names it") {
  for (const char* text :
       {"vocals", "vocals=", "=1", "vocals=loud", "vocals=nan", "vocals=1,,drums=1"}) {
    CAPTURE(text);
    const auto gains = ParseMix(text);
    REQUIRE(gains.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(gains.status().message()), Catch::Contains("STEM=GAIN"));
  }
  CHECK_THAT(std::string(ParseMix("a=1,a=2").status().message()), Catch::Contains("named twice"));
}

}  // namespace
}  // namespace unbraid::cli
