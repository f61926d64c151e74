#include "clients/cli/download.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/text_format.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/sha256.h"
#include "services/common/store/files.h"

namespace unbraid::cli {
namespace {

constexpr absl::Duration kReportEvery = absl::Milliseconds(100);

// One result on its way into one file.
class Download {
 public:
  Download(const v1::StemFile& output, store::File file, GatewayClient* client, Reporter* reporter)
      : output_(output), file_(std::move(file)), client_(client), reporter_(reporter) {}

  absl::Status Run() {
    RetryPolicy retry = client_->MakeRetryPolicy();
    while (received_ < output_.size_bytes()) {
      const int64_t before = received_;
      const absl::Status status = ReadFrom();
      if (received_ > before) retry.Reset();
      if (!status.ok()) UNBRAID_RETURN_IF_ERROR(retry.Next(status));
    }
    if (base::ToHex(hash_.Finish()) != output_.sha256()) {
      return absl::DataLossError(absl::StrCat(output_.name(), " arrived damaged; fetch it again"));
    }
    UNBRAID_RETURN_IF_ERROR(file_.Sync());
    return file_.Close();
  }

 private:
  absl::Status ReadFrom() {
    v1::DownloadStemRequest request;
    request.set_name(output_.name());
    request.set_read_offset(received_);
    grpc::ClientContext context;
    const Interrupt::Scope scope(client_->interrupt(), &context);
    auto reader = client_->separations()->DownloadStem(&context, request);
    v1::DownloadStemResponse part;
    absl::Status status;
    while (status.ok() && reader->Read(&part)) status = Take(part);
    if (!status.ok()) context.TryCancel();
    const absl::Status end = grpc_util::FromGrpc(reader->Finish());
    if (!status.ok()) return status;
    if (end.ok() && received_ < output_.size_bytes()) {
      return absl::UnavailableError(absl::StrCat(output_.name(), " ended early"));
    }
    return end;
  }

  absl::Status Take(const v1::DownloadStemResponse& part) {
    if (part.offset() != received_ || part.crc32c() != base::Crc32c(part.data())) {
      return absl::UnavailableError(absl::StrCat("a part of ", output_.name(), " arrived damaged"));
    }
    UNBRAID_RETURN_IF_ERROR(file_.WriteAt(received_, part.data()));
    hash_.Update(part.data());
    received_ += static_cast<int64_t>(part.data().size());
    const absl::Time now = absl::Now();
    if (received_ == output_.size_bytes() || now - last_report_ >= kReportEvery) {
      last_report_ = now;
      reporter_->Downloading(output_.stem(), received_, output_.size_bytes());
    }
    return absl::OkStatus();
  }

  const v1::StemFile& output_;
  store::File file_;
  GatewayClient* const client_;
  Reporter* const reporter_;
  base::Sha256 hash_;
  int64_t received_ = 0;
  absl::Time last_report_ = absl::InfinitePast();
};

// A server decides what a file is called, and must not decide where it lies.
absl::Status CheckFileName(const std::string& name) {
  const bool plain = name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
                              c == '_' || c == '.';
                     });
  if (plain) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the server names a result \"", Printable(name),
                   "\", which is no plain file name; nothing of that name is written"));
}

absl::Status DownloadOne(const v1::StemFile& output, const std::string& folder,
                         GatewayClient* client, Reporter* reporter) {
  UNBRAID_RETURN_IF_ERROR(CheckFileName(absl::StrCat(output.stem(), ".", output.extension())));
  const std::string path = absl::StrCat(folder, "/", output.stem(), ".", output.extension());
  const std::string partial = absl::StrCat(path, ".part");
  absl::StatusOr<store::File> file = store::File::Open(partial, store::File::Mode::kCreateEmpty);
  UNBRAID_RETURN_IF_ERROR(file.status());
  absl::Status status = Download(output, *std::move(file), client, reporter).Run();
  if (status.ok()) status = store::RenameDurably(partial, path);
  if (!status.ok()) {
    (void)store::RemoveAll(partial);  // the first error is the one to tell
    return status;
  }
  reporter->Wrote(output.stem(), path);
  return absl::OkStatus();
}

absl::Status CheckWanted(const v1::Separation& separation, const std::vector<std::string>& only) {
  for (const std::string& stem : only) {
    const auto& outputs = separation.outputs();
    if (std::any_of(outputs.begin(), outputs.end(),
                    [&](const v1::StemFile& output) { return output.stem() == stem; })) {
      continue;
    }
    const std::string known = absl::StrJoin(
        outputs, ", ",
        [](std::string* out, const v1::StemFile& output) { out->append(output.stem()); });
    return base::Error(
        absl::StatusCode::kInvalidArgument, "UNKNOWN_STEM",
        absl::StrCat(separation.name(), " has no stem \"", stem, "\". It has: ", known, "."));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PrepareOutputFolder(const std::string& folder) {
  const std::string probe = absl::StrCat(folder, "/.unbraid-probe");
  absl::Status status = store::MakeFolders(folder);
  if (status.ok()) status = store::File::Open(probe, store::File::Mode::kCreateEmpty).status();
  if (status.ok()) status = store::RemoveAll(probe);
  if (status.ok()) return status;
  return base::Error(absl::StatusCode::kInvalidArgument, "OUTPUT_NOT_WRITABLE",
                     absl::StrCat("The folder ", folder, " cannot be written to (",
                                  status.message(), "); choose another with -o."));
}

absl::Status DownloadOutputs(const v1::Separation& separation, const std::vector<std::string>& only,
                             const std::string& folder, GatewayClient* client, Reporter* reporter) {
  UNBRAID_RETURN_IF_ERROR(CheckWanted(separation, only));
  for (const v1::StemFile& output : separation.outputs()) {
    if (!only.empty() && std::find(only.begin(), only.end(), output.stem()) == only.end()) continue;
    UNBRAID_RETURN_IF_ERROR(DownloadOne(output, folder, client, reporter));
  }
  return absl::OkStatus();
}

}  // namespace unbraid::cli
