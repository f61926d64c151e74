#include "services/common/grpc/status_convert.h"

#include <catch2/catch.hpp>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "services/common/base/status.h"

namespace unbraid::grpc_util {
namespace {

TEST_CASE("an error goes out as a google.rpc.Status with one ErrorInfo") {
  const grpc::Status sent =
      ToGrpc(base::Error(absl::StatusCode::kOutOfRange, "WRITE_OFFSET_MISMATCH", "Go on at 5.",
                         {{"committed_size", "5"}}));
  CHECK(sent.error_code() == grpc::StatusCode::OUT_OF_RANGE);
  CHECK(sent.error_message() == "Go on at 5.");
  google::rpc::Status details;
  REQUIRE(details.ParseFromString(sent.error_details()));
  CHECK(details.code() == 11);
  CHECK(details.message() == "Go on at 5.");
  REQUIRE(details.details_size() == 1);
  CHECK(details.details(0).type_url() == "type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  REQUIRE(details.details(0).UnpackTo(&info));
  CHECK(info.reason() == "WRITE_OFFSET_MISMATCH");
  CHECK(info.domain() == "unbraid.v1");
  CHECK(info.metadata().at("committed_size") == "5");
}

TEST_CASE("an error comes back as it went out") {
  const absl::Status error = base::Error(absl::StatusCode::kNotFound, "UNKNOWN_TRACK",
                                         "There is no such track.", {{"track", "tracks/1"}});
  const absl::Status back = FromGrpc(ToGrpc(error));
  CHECK(back.code() == error.code());
  CHECK(back.message() == error.message());
  CHECK(base::ReasonOf(back) == "UNKNOWN_TRACK");
  CHECK(base::FactsOf(back) == base::FactsOf(error));
}

TEST_CASE("every code survives both ways") {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "m");
    CHECK(FromGrpc(ToGrpc(status)).code() == status.code());
  }
}

TEST_CASE("what gRPC says of a service that is away gets a reason") {
  const absl::Status status = FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "refused"));
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(base::ReasonOf(status) == "BACKEND_UNAVAILABLE");
}

TEST_CASE("details that are none of ours do no harm") {
  const absl::Status status =
      FromGrpc(grpc::Status(grpc::StatusCode::INTERNAL, "m", "\xff\xff no protobuf"));
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK(base::ReasonOf(status).empty());
}

}  // namespace
}  // namespace unbraid::grpc_util
