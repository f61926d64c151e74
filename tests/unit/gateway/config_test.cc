#include "services/gateway/config.h"

#include <catch2/catch.hpp>

namespace unbraid::gateway {
namespace {

using Catch::Contains;

std::optional<int> Parse(std::vector<std::string> arguments, Config* config) {
  arguments.insert(arguments.begin(), "unbraid-gateway");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseConfig(static_cast<int>(argv.size()), argv.data(), config);
}

TEST_CASE("reads every flag") {
  Config config;
  CHECK_FALSE(Parse({"--listen",
                     "0.0.0.0:1",
                     "--splitter",
                     "s:2",
                     "--assembler",
                     "a:3",
                     "--models",
                     "/m",
                     "--default-model",
                     "d",
                     "--max-upload-bytes",
                     "5",
                     "--unary-deadline",
                     "3s",
                     "--max-stream-age",
                     "2h",
                     "--max-separate-calls",
                     "6",
                     "--grace",
                     "1500ms"},
                    &config)
                  .has_value());
  CHECK(config.listen == "0.0.0.0:1");
  CHECK(config.splitter == "s:2");
  CHECK(config.assembler == "a:3");
  CHECK(config.models == "/m");
  CHECK(config.default_model == "d");
  CHECK(config.max_upload_bytes == 5);
  CHECK(config.unary_deadline == absl::Seconds(3));
  CHECK(config.max_stream_age == absl::Hours(2));
  CHECK(config.max_separate_calls == 6);
  CHECK(config.grace == absl::Milliseconds(1500));
  CHECK(config.Validate().ok());
}

TEST_CASE("refuses a configuration that cannot work, naming the flag") {
  Config good;
  good.models = "/m";
  REQUIRE(good.Validate().ok());
  auto message = [&good](auto change) {
    Config config = good;
    change(&config);
    return std::string(config.Validate().message());
  };
  CHECK_THAT(message([](Config* c) { c->models = ""; }), Contains("--models"));
  CHECK_THAT(message([](Config* c) { c->max_upload_bytes = 0; }), Contains("--max-upload-bytes"));
  CHECK_THAT(message([](Config* c) { c->max_separate_calls = 0; }),
             Contains("--max-separate-calls"));
  CHECK_THAT(message([](Config* c) { c->unary_deadline = absl::ZeroDuration(); }),
             Contains("--unary-deadline"));
  CHECK_THAT(message([](Config* c) { c->max_stream_age = absl::ZeroDuration(); }),
             Contains("--max-stream-age"));
  CHECK_THAT(message([](Config* c) { c->splitter = "nowhere"; }), Contains("nowhere"));
}

}  // namespace
}  // namespace unbraid::gateway
