#include "clients/cli/stem_transfer.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/common/base/crc32c.h"

namespace unbraid::cli {
namespace {

constexpr absl::Duration kReportEvery = absl::Milliseconds(100);

class Transfer {
 public:
  Transfer(const std::string& name, StemForm form, GatewayClient* client, StemSink* sink)
      : name_(name), form_(form), client_(client), sink_(sink), retry_(client->MakeRetryPolicy()) {}

  absl::Status Run() {
    while (received_ != sink_->total_bytes()) {
      const absl::Status status = ReadFrom();
      if (!status.ok()) UNBRAID_RETURN_IF_ERROR(retry_.Next(status));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadFrom() {
    v1::DownloadStemRequest request;
    request.set_name(name_);
    request.set_read_offset(received_);
    request.set_follow(form_ == StemForm::kSamples);
    grpc::ClientContext context;
    const Interrupt::Scope scope(client_->interrupt(), &context);
    auto reader = client_->separations()->DownloadStem(&context, request);
    v1::DownloadStemResponse part;
    absl::Status status;
    while (status.ok() && reader->Read(&part)) status = Take(part);
    if (!status.ok()) context.TryCancel();
    const absl::Status end = grpc_util::FromGrpc(reader->Finish());
    if (!status.ok()) return status;
    if (end.ok() && received_ != sink_->total_bytes())
      return absl::UnavailableError(absl::StrCat(name_, " ended early"));
    return end;
  }

  absl::Status Take(const v1::DownloadStemResponse& part) {
    if (part.offset() != received_ || part.crc32c() != base::Crc32c(part.data()))
      return absl::UnavailableError(absl::StrCat("a part of ", name_, " arrived damaged"));
    retry_.Reset();
    UNBRAID_RETURN_IF_ERROR(sink_->Take(part));
    received_ += static_cast<int64_t>(part.data().size());
    if (sink_->total_bytes() >= 0 && received_ > sink_->total_bytes())
      return absl::DataLossError(
          absl::StrCat("the server sends more of ", name_, " than there is"));
    const absl::Time now = absl::Now();
    if (received_ == sink_->total_bytes() || now - last_report_ >= kReportEvery) {
      last_report_ = now;
      sink_->Progress(received_);
    }
    return absl::OkStatus();
  }

  const std::string& name_;
  const StemForm form_;
  GatewayClient* const client_;
  StemSink* const sink_;
  RetryPolicy retry_;
  int64_t received_ = 0;
  absl::Time last_report_ = absl::InfinitePast();
};

}  // namespace

absl::Status TransferStem(const std::string& name, StemForm form, GatewayClient* client,
                          StemSink* sink) {
  return Transfer(name, form, client, sink).Run();
}

}  // namespace unbraid::cli
