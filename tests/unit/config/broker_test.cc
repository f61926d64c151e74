#include <catch2/catch.hpp>
#include <fstream>

#include "services/common/config/flags.h"
#include "tests/support/temp_dir.h"

namespace unbraid::config {
namespace {

using Catch::Contains;

struct Fixture {
  explicit Fixture(const std::string& content) {
    config.password_file = folder.path() + "/password";
    std::ofstream(config.password_file) << content;
  }
  test_support::TempDir folder;
  BrokerConfig config;
};

TEST_CASE("reads the password from the first line of its file") {
  for (const char* content : {"s3cret", "s3cret\n", "s3cret\r\nanother\n"}) {
    const Fixture fixture(content);
    const auto login = ResolveBroker(fixture.config);
    REQUIRE(login.ok());
    CHECK(login->password == "s3cret");
    CHECK(login->user == "unbraid");
    CHECK(login->vhost == "/");
    CHECK(login->address.port == 5672);
  }
}

TEST_CASE("says what is missing for the broker, without the password") {
  Fixture empty("\ns3cret\n");
  const absl::Status status = ResolveBroker(empty.config).status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(status.message()), Contains("/password") && !Contains("s3cret"));

  Fixture address("x");
  address.config.address = "nowhere";
  CHECK_THAT(std::string(ResolveBroker(address.config).status().message()), Contains("nowhere"));

  BrokerConfig none;
  CHECK_THAT(std::string(ResolveBroker(none).status().message()), Contains("--amqp-password-file"));
  none.password_file = "/nonexistent/file";
  CHECK(ResolveBroker(none).status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace unbraid::config
