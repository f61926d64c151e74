#include "clients/cli/watch.h"

#include "absl/strings/str_cat.h"

namespace unbraid::cli {

bool HasEnded(const v1::Separation& separation) {
  return separation.state() == v1::Separation::STATE_SUCCEEDED ||
         separation.state() == v1::Separation::STATE_FAILED ||
         separation.state() == v1::Separation::STATE_CANCELLED;
}

absl::Status OutcomeOf(const v1::Separation& separation) {
  switch (separation.state()) {
    case v1::Separation::STATE_SUCCEEDED:
      return absl::OkStatus();
    case v1::Separation::STATE_CANCELLED:
      return base::Error(absl::StatusCode::kCancelled, "SEPARATION_CANCELLED",
                         absl::StrCat(separation.name(), " was cancelled."));
    case v1::Separation::STATE_FAILED:
      return base::Error(absl::StatusCode::kAborted, separation.failure().reason(),
                         separation.failure().message());
    default:
      return base::Error(absl::StatusCode::kFailedPrecondition, "NOT_READY",
                         absl::StrCat(separation.name(), " has not ended yet; see `unbraid watch ",
                                      separation.name(), "`."));
  }
}

absl::StatusOr<v1::Separation> WatchUntilEnd(const std::string& name, GatewayClient* client,
                                             Reporter* reporter, bool only_to_tell) {
  v1::WatchSeparationRequest request;
  request.set_name(name);
  RetryPolicy retry = client->MakeRetryPolicy();
  while (true) {
    grpc::ClientContext context;
    const Interrupt::Scope scope(client->interrupt(), &context);
    auto reader = client->separations()->WatchSeparation(&context, request);
    v1::WatchSeparationResponse news;
    v1::Separation last;
    while (reader->Read(&news)) {
      retry.Reset();
      last = news.separation();
      reporter->Progress(last);
      if (only_to_tell && !reporter->Written().ok()) context.TryCancel();
    }
    absl::Status status = grpc_util::FromGrpc(reader->Finish());
    if (only_to_tell) UNBRAID_RETURN_IF_ERROR(reporter->Written());
    if (HasEnded(last)) return last;
    // A stream that ends early without an error was ended to bound its life: attach again.
    if (status.ok()) status = absl::UnavailableError("the stream has ended");
    UNBRAID_RETURN_IF_ERROR(retry.Next(status));
  }
}

}  // namespace unbraid::cli
