#include "services/common/telemetry/http_server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <vector>

#include "absl/time/clock.h"

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

int Connect(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  return descriptor;
}

// Asks, and waits until the server has closed the connection, so that it is the server's end that
// times out.
void GetUntilServerCloses(int port) {
  const int descriptor = Connect(port);
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  REQUIRE(send(descriptor, request.data(), request.size(), 0) ==
          static_cast<ssize_t>(request.size()));
  std::array<char, 512> answer{};
  while (recv(descriptor, answer.data(), answer.size(), 0) > 0) {
  }
  close(descriptor);
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

TEST_CASE("connections that say nothing do not keep a probe waiting") {
  Metrics metrics;
  auto server = HttpServer::Start("127.0.0.1:0", Healthy(), &metrics);
  REQUIRE(server.ok());
  std::vector<int> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(Connect((*server)->address().port));
  const absl::Time begin = absl::Now();
  CHECK(Get(**server, "/healthz").first == 200);
  CHECK(absl::Now() - begin < absl::Seconds(5));  // one of them alone could have had it for that
  for (const int descriptor : silent) close(descriptor);
}

// Found by chaos: a service that was killed after a probe could not come back for a minute.
TEST_CASE("listens again at once where a server was asked and has ended") {
  Metrics metrics;
  auto first = HttpServer::Start("127.0.0.1:0", Healthy(), &metrics);
  REQUIRE(first.ok());
  const base::HostPort address = (*first)->address();
  GetUntilServerCloses(address.port);
  first->reset();
  const auto second = HttpServer::Start(address.ToString(), Healthy(), &metrics);
  REQUIRE(second.ok());
  CHECK(Get(**second, "/healthz").first == 200);
}

}  // namespace
}  // namespace unbraid::telemetry
