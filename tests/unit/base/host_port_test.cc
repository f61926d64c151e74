#include "services/common/base/host_port.h"

#include <catch2/catch.hpp>

namespace unbraid::base {
namespace {

TEST_CASE("reads addresses, and writes them as they were") {
  for (const char* text : {"127.0.0.1:50051", "[::1]:0", "splitter.unbraid:65535"}) {
    const auto address = ParseHostPort(text);
    REQUIRE(address.ok());
    CHECK(address->ToString() == text);
  }
  CHECK(ParseHostPort("[::1]:80")->host == "::1");
}

TEST_CASE("refuses what is no address, naming it") {
  for (const char* text :
       {"", ":", "host", "host:", ":1", "host:x", "host:-1", "host:65536", "::1:80", "host:1x"}) {
    INFO(text);
    const absl::Status status = ParseHostPort(text).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(status.message()), Catch::Contains(text));
  }
}

}  // namespace
}  // namespace unbraid::base
