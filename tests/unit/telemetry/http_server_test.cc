#include "services/common/telemetry/http_server.h"

#include <httplib.h>

#include <atomic>
#include <catch2/catch.hpp>

namespace unbraid::telemetry {
namespace {

Probes Healthy() {
  return {[] { return absl::OkStatus(); }, [] { return absl::OkStatus(); }};
}

std::pair<int, std::string> Get(const HttpServer& server, const char* path) {
  httplib::Client client(server.address().host, server.address().port);
  const auto result = client.Get(path);
  REQUIRE(result);
  return {result->status, result->body};
}

TEST_CASE("serves probes and metrics") {
  std::atomic<bool> ready{true};
  Metrics metrics;
  metrics.Counter("unbraid_test_total", "Test").Increment();
  Probes probes = Healthy();
  probes.ready = [&ready] {
    return ready ? absl::OkStatus() : absl::UnavailableError("the broker is away");
  };
  auto server = HttpServer::Start("127.0.0.1:0", probes, &metrics);
  REQUIRE(server.ok());
  CHECK((*server)->address().port > 0);
  CHECK(Get(**server, "/healthz") == std::make_pair(200, std::string("ok\n")));
  CHECK(Get(**server, "/readyz") == std::make_pair(200, std::string("ok\n")));
  ready = false;
  CHECK(Get(**server, "/readyz") == std::make_pair(503, std::string("the broker is away\n")));
  CHECK(Get(**server, "/healthz").first == 200);
  CHECK_THAT(Get(**server, "/metrics").second, Catch::Contains("unbraid_test_total 1"));
  CHECK(Get(**server, "/nothing").first == 404);
}

TEST_CASE("an empty address means no server") {
  Metrics metrics;
  auto server = HttpServer::Start("", Healthy(), &metrics);
  REQUIRE(server.ok());
  CHECK(*server == nullptr);
}

TEST_CASE("a server that is started again has its port, though connections ended there just now") {
  Metrics metrics;
  auto first = HttpServer::Start("127.0.0.1:0", Healthy(), &metrics);
  REQUIRE(first.ok());
  const std::string address = (*first)->address().ToString();
  {
    httplib::Client client((*first)->address().host, (*first)->address().port);
    client.set_keep_alive(false);  // so the server is the first to close
    REQUIRE(client.Get("/healthz"));
  }
  first->reset();
  CHECK(HttpServer::Start(address, Healthy(), &metrics).ok());
}

TEST_CASE("does not share a port, and names what it cannot have") {
  Metrics metrics;
  auto first = HttpServer::Start("127.0.0.1:0", Healthy(), &metrics);
  REQUIRE(first.ok());
  const std::string address = (*first)->address().ToString();
  const auto second = HttpServer::Start(address, Healthy(), &metrics);
  CHECK(second.status().code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(second.status().message()), Catch::Contains(address));
  CHECK(HttpServer::Start("nowhere", Healthy(), &metrics).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace unbraid::telemetry
