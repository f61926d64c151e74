#include <catch2/catch.hpp>

#include "tests/component/gateway/fixture.h"
#include "tests/component/gateway/generic_call.h"

namespace unbraid::gateway {
namespace {

using Catch::Contains;

// Answers of grpc.health.v1.Health/Watch: field 1, the state.
const char kServing[] = "\x08\x01";
const char kNotServing[] = "\x08\x02";

std::unique_ptr<GenericCall> WatchHealth(const Fixture& fixture) {
  return std::make_unique<GenericCall>(fixture.Channel(), "/grpc.health.v1.Health/Watch", "");
}

// Reads states until `state` comes.
bool AwaitHealth(GenericCall* watch, const std::string& state) {
  while (true) {
    const auto message = watch->Read();
    if (!message.has_value()) return false;
    if (*message == state) return true;
  }
}

struct Listed {
  SeenError error;
  v1::ListModelsResponse response;
};

Listed List(const Fixture& fixture, int page_size, const std::string& token) {
  Patient context;
  v1::ListModelsRequest request;
  request.set_page_size(page_size);
  request.set_page_token(token);
  Listed listed;
  listed.error = See(fixture.System()->ListModels(&context, request, &listed.response));
  return listed;
}

v1::ServerInfo Info(const Fixture& fixture) {
  Patient context;
  v1::ServerInfo info;
  const grpc::Status status =
      fixture.System()->GetServerInfo(&context, v1::GetServerInfoRequest(), &info);
  INFO(status.error_message());
  CHECK(status.ok());
  return info;
}

TEST_CASE("lists the models, the default first") {
  Fixture fixture;
  fixture.Start();
  const Listed all = List(fixture, 0, "");
  REQUIRE(all.response.models_size() == 2);
  CHECK(all.response.next_page_token().empty());
  const v1::Model& first = all.response.models(0);
  CHECK(first.name() == "beta");
  CHECK(first.default_());
  CHECK(first.stems_size() == 2);
  CHECK(first.window_frames() == 1000);
  CHECK(first.overlap_frames() == 100);
  CHECK(first.sample_rate_hz() == 44100);
  CHECK(first.licence() == "MIT");
  CHECK(first.sha256().size() == 64);
  CHECK(all.response.models(1).name() == "alpha");
  CHECK_FALSE(all.response.models(1).default_());
}

TEST_CASE("pages through the models") {
  Fixture fixture;
  fixture.Start();
  const Listed first = List(fixture, 1, "");
  REQUIRE(first.response.models_size() == 1);
  CHECK(first.response.models(0).name() == "beta");
  const Listed second = List(fixture, 1, first.response.next_page_token());
  REQUIRE(second.response.models_size() == 1);
  CHECK(second.response.models(0).name() == "alpha");
  CHECK(second.response.next_page_token().empty());
}

TEST_CASE("refuses page sizes and page tokens that are none") {
  Fixture fixture;
  fixture.Start();
  for (const int size : {-1, 1001}) {
    const Listed listed = List(fixture, size, "");
    CHECK(listed.error.code == grpc::StatusCode::INVALID_ARGUMENT);
    CHECK(listed.error.reason == "INVALID_PAGE_SIZE");
  }
  for (const char* token : {"x", "-1", "3"}) {
    const Listed listed = List(fixture, 0, token);
    CHECK(listed.error.code == grpc::StatusCode::INVALID_ARGUMENT);
    CHECK(listed.error.reason == "INVALID_PAGE_TOKEN");
  }
}

TEST_CASE("Case 35: tells limits, versions, and the state of the parts") {
  Fixture fixture;
  fixture.splitter.status.mutable_limits()->set_max_upload_bytes(int64_t{8} << 30);
  fixture.splitter.status.mutable_limits()->set_max_channels(8);
  fixture.splitter.status.mutable_limits()->mutable_max_duration()->set_seconds(7200);
  fixture.splitter.status.mutable_limits()->mutable_track_retention()->set_seconds(60);
  fixture.assembler.status.mutable_separation_retention()->set_seconds(70);
  v1::QueueStatus* queue = fixture.splitter.status.add_queues();
  queue->set_model("beta");
  queue->set_workers(3);
  fixture.Start();
  const v1::ServerInfo info = Info(fixture);
  CHECK(info.version() == UNBRAID_VERSION);
  CHECK(info.limits().max_upload_bytes() == int64_t{4} << 30);  // the gateway's own is smaller
  CHECK(info.limits().max_part_bytes() == 1 << 20);
  CHECK(info.limits().max_channels() == 8);
  CHECK(info.limits().max_duration().seconds() == 7200);
  CHECK(info.limits().track_retention().seconds() == 60);
  CHECK(info.limits().separation_retention().seconds() == 70);
  REQUIRE(info.services_size() == 2);
  CHECK(info.services(0).name() == "splitter");
  CHECK(info.services(0).available());
  CHECK(info.services(1).name() == "assembler");
  CHECK(info.services(1).available());
  CHECK(info.broker().connected());
  REQUIRE(info.queues_size() == 1);
  CHECK(info.queues(0).workers() == 3);
  CHECK(fixture.splitter.calls.request("GetSplitterStatus") == R"(models: "beta" models: "alpha")");
}

TEST_CASE("answers within 3 s, and says so, when the services are away or silent") {
  Fixture fixture;
  SECTION("away") {
    fixture.Start();
    fixture.StopSplitter();
    fixture.StopAssembler();
  }
  SECTION("silent") {
    fixture.splitter.status_answer = fixture.assembler.status_answer = [](auto* context) {
      AwaitCancelled(*context);
      return grpc::Status::OK;
    };
    fixture.Start();
  }
  const absl::Time begin = absl::Now();
  const v1::ServerInfo info = Info(fixture);
  CHECK(absl::Now() - begin < absl::Seconds(3));
  CHECK(info.version() == UNBRAID_VERSION);
  REQUIRE(info.services_size() == 2);
  for (const v1::ServiceStatus& service : info.services()) {
    CHECK_FALSE(service.available());
    CHECK_THAT(service.message(), Contains("The " + service.name() + " does not answer"));
  }
  CHECK_FALSE(info.broker().connected());
  CHECK_THAT(info.broker().message(), Contains("splitter"));
  CHECK(info.limits().max_upload_bytes() == int64_t{4} << 30);
}

TEST_CASE("health and readiness follow the services behind") {
  Fixture fixture;
  fixture.Start();
  const auto health = WatchHealth(fixture);
  REQUIRE(AwaitHealth(health.get(), kServing));
  CHECK(fixture.Get("/readyz") == std::make_pair(200, std::string("ok\n")));
  fixture.StopAssembler();
  REQUIRE(AwaitHealth(health.get(), kNotServing));
  CHECK(fixture.Get("/readyz") ==
        std::make_pair(503, std::string("the assembler does not answer\n")));
  CHECK(fixture.Get("/healthz").first == 200);
  fixture.BringBackAssembler();
  CHECK(AwaitHealth(health.get(), kServing));
}

TEST_CASE("Case 28: is not ready while a service behind cannot work, and says why") {
  Fixture fixture;
  fixture.splitter.status.mutable_service()->set_available(false);
  fixture.splitter.status.mutable_service()->set_message("the broker has stopped taking messages");
  // The state before the first look at the services is another one, and short.
  Tally asked;
  fixture.splitter.status_answer = [&asked](auto*) {
    asked.Add();
    return grpc::Status::OK;
  };
  fixture.Start();
  REQUIRE(asked.Await(2));  // so the first look has been noted
  CHECK(fixture.Get("/readyz") ==
        std::make_pair(503, std::string("splitter: the broker has stopped taking messages\n")));
}

TEST_CASE("health says no as soon as the gateway drains") {
  Fixture fixture;
  Config config;
  fixture.Start(config);
  auto health = WatchHealth(fixture);
  REQUIRE(AwaitHealth(health.get(), kServing));
  fixture.gateway->Drain();
  CHECK(health->Read() == kNotServing);
}

TEST_CASE("reflection lists the public services") {
  Fixture fixture;
  fixture.Start();
  // ServerReflectionRequest{list_services: "*"}
  GenericCall call(fixture.Channel(),
                   "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "\x3a\x01*");
  const auto answer = call.Read();
  REQUIRE(answer.has_value());
  for (const char* service : {"unbraid.v1.TrackService", "unbraid.v1.SeparationService",
                              "unbraid.v1.SystemService", "grpc.health.v1.Health"}) {
    CHECK_THAT(*answer, Contains(service));
  }
}

TEST_CASE("counts calls by method and code") {
  Fixture fixture;
  fixture.Start();
  List(fixture, 0, "");
  List(fixture, -1, "");
  const std::string metrics = fixture.Get("/metrics").second;
  CHECK_THAT(metrics, Contains(R"(unbraid_gateway_calls_total{code="OK",method="ListModels"} 1)"));
  CHECK_THAT(
      metrics,
      Contains(R"(unbraid_gateway_calls_total{code="INVALID_ARGUMENT",method="ListModels"} 1)"));
  CHECK_THAT(metrics, Contains(R"(unbraid_gateway_call_seconds_count{method="ListModels"} 2)"));
}

TEST_CASE("does not start without models") {
  Fixture fixture;
  fixture.Start();
  Config config;
  config.listen = fixture.gateway->address().ToString();
  config.models = "/nonexistent";
  CHECK(GatewayServer::Create(config).status().code() == absl::StatusCode::kNotFound);
  test_support::TempDir empty;
  config.models = empty.path();
  CHECK(GatewayServer::Create(config).status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace unbraid::gateway
