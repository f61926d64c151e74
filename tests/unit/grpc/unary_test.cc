#include "services/common/grpc/unary.h"

#include <catch2/catch.hpp>

#include "tests/unit/grpc/test_service.h"

namespace unbraid::grpc_util {
namespace {

using Stub = internal::v1::AssemblerService::Stub;

absl::Status Ask(const TestServer& fixture, v1::Separation* separation) {
  return Call(fixture.stub.get(), &Stub::GetSeparation, v1::GetSeparationRequest(), separation,
              kDefaultOwner);
}

TEST_CASE("answers from the executor, with the work's status") {
  base::Executor executor("unary", 1);
  TestServer fixture;
  absl::Status result;
  fixture.service.get = [&](grpc::CallbackServerContext* context, v1::Separation* response) {
    return RunUnary(&executor, context, [&result, response] {
      response->set_name("separations/1");
      return result;
    });
  };
  v1::Separation separation;
  CHECK(Ask(fixture, &separation).ok());
  CHECK(separation.name() == "separations/1");
  result = base::Error(absl::StatusCode::kNotFound, "UNKNOWN_SEPARATION", "gone");
  const absl::Status status = Ask(fixture, &separation);
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK(base::ReasonOf(status) == "UNKNOWN_SEPARATION");
}

TEST_CASE("tells the caller when too much waits already") {
  base::Executor executor("full", 1, /*capacity=*/0);
  TestServer fixture;
  fixture.service.get = [&](grpc::CallbackServerContext* context, v1::Separation*) {
    return RunUnary(&executor, context, [] { return absl::OkStatus(); });
  };
  v1::Separation separation;
  const absl::Status status = Ask(fixture, &separation);
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(base::ReasonOf(status) == "OVERLOADED");
}

}  // namespace
}  // namespace unbraid::grpc_util
