#include "services/common/base/status.h"

#include <catch2/catch.hpp>

#include "absl/status/statusor.h"

namespace unbraid::base {
namespace {

TEST_CASE("an error keeps code, reason, sentence and facts") {
  const absl::Status error =
      Error(absl::StatusCode::kResourceExhausted, "TOO_LONG", "The track is too long.",
            {{"limit_seconds", "7200"}, {"a", ""}});
  CHECK(error.code() == absl::StatusCode::kResourceExhausted);
  CHECK(error.message() == "The track is too long.");
  CHECK(ReasonOf(error) == "TOO_LONG");
  CHECK(FactsOf(error) == ErrorFacts{{"limit_seconds", "7200"}, {"a", ""}});
}

TEST_CASE("other statuses have neither reason nor facts") {
  CHECK(ReasonOf(absl::OkStatus()).empty());
  CHECK(ReasonOf(absl::InternalError("x")).empty());
  CHECK(FactsOf(absl::InternalError("x")).empty());
}

TEST_CASE("a prefix leaves code, reason and facts alone") {
  const absl::Status error =
      Annotate(Error(absl::StatusCode::kNotFound, "UNKNOWN_TRACK", "gone", {{"k", "v"}}), "there");
  CHECK(error.code() == absl::StatusCode::kNotFound);
  CHECK(error.message() == "there: gone");
  CHECK(ReasonOf(error) == "UNKNOWN_TRACK");
  CHECK(FactsOf(error) == ErrorFacts{{"k", "v"}});
  CHECK(Annotate(absl::OkStatus(), "there").ok());
}

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return absl::InvalidArgumentError("odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  UNBRAID_ASSIGN_OR_RETURN(const int half, Half(value));
  UNBRAID_ASSIGN_OR_RETURN(const int quarter, Half(half));
  UNBRAID_RETURN_IF_ERROR(absl::OkStatus());
  return quarter;
}

TEST_CASE("the macros leave the function with the first error") {
  CHECK(*Quarter(8) == 2);
  CHECK(Quarter(7).status().message() == "odd");
  CHECK(Quarter(6).status().message() == "odd");
}

}  // namespace
}  // namespace unbraid::base
