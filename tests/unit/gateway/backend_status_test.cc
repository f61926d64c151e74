#include <catch2/catch.hpp>

#include "services/common/base/status.h"
#include "services/gateway/backends.h"

namespace unbraid::gateway {
namespace {

using Catch::Contains;
using grpc::StatusCode;

TEST_CASE("a backend that is away, or breaks the call off, is unavailable") {
  for (const StatusCode code : {StatusCode::UNAVAILABLE, StatusCode::CANCELLED}) {
    const grpc::Status seen =
        FromBackend(grpc::Status(code, "ipv4:10.0.0.1:5 refused"), kSplitter, false);
    CHECK(seen.error_code() == StatusCode::UNAVAILABLE);
    CHECK_THAT(seen.error_message(), Contains("The splitter does not answer"));
    CHECK_THAT(seen.error_message(), !Contains("10.0.0.1"));
    CHECK(base::ReasonOf(grpc_util::FromGrpc(seen)) == "BACKEND_UNAVAILABLE");
  }
}

TEST_CASE("a slow backend is told apart from one that is away") {
  const grpc::Status seen =
      FromBackend(grpc::Status(StatusCode::DEADLINE_EXCEEDED, "late"), kAssembler, false);
  CHECK(seen.error_code() == StatusCode::DEADLINE_EXCEEDED);
  CHECK_THAT(seen.error_message(), Contains("The assembler did not answer in time"));
  CHECK(base::ReasonOf(grpc_util::FromGrpc(seen)) == "DEADLINE_EXCEEDED");
}

TEST_CASE("a backend's own errors stay as they are") {
  const grpc::Status own = grpc_util::ToGrpc(
      base::Error(absl::StatusCode::kUnavailable, "STARTING", "The splitter starts."));
  const grpc::Status seen = FromBackend(own, kSplitter, false);
  CHECK(seen.error_message() == "The splitter starts.");
  CHECK(seen.error_details() == own.error_details());
  CHECK(
      FromBackend(grpc::Status(StatusCode::INTERNAL, "a defect"), kSplitter, false).error_code() ==
      StatusCode::INTERNAL);
  CHECK(FromBackend(grpc::Status::OK, kSplitter, false).ok());
}

TEST_CASE("the end of a call whose client is gone is no fault of the backend") {
  CHECK(FromBackend(grpc::Status(StatusCode::CANCELLED, ""), kSplitter, true).error_code() ==
        StatusCode::CANCELLED);
}

}  // namespace
}  // namespace unbraid::gateway
