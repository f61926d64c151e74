#include "clients/cli/download.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/stem_transfer.h"
#include "clients/cli/text_format.h"
#include "services/common/base/sha256.h"
#include "services/common/store/files.h"

namespace unbraid::cli {
namespace {

// One result on its way into one file.
class FileSink : public StemSink {
 public:
  FileSink(const v1::StemFile& output, store::File file, Reporter* reporter)
      : output_(output), file_(std::move(file)), reporter_(reporter) {}

  absl::Status Take(const v1::DownloadStemResponse& part) override {
    UNBRAID_RETURN_IF_ERROR(file_.WriteAt(part.offset(), part.data()));
    hash_.Update(part.data());
    return absl::OkStatus();
  }

  int64_t total_bytes() const override { return output_.size_bytes(); }

  void Progress(int64_t received_bytes) override {
    reporter_->Downloading(output_.stem(), received_bytes, output_.size_bytes());
  }

  absl::Status Complete() {
    if (base::ToHex(hash_.Finish()) != output_.sha256()) {
      return absl::DataLossError(absl::StrCat(output_.name(), " arrived damaged; fetch it again"));
    }
    UNBRAID_RETURN_IF_ERROR(file_.Sync());
    return file_.Close();
  }

 private:
  const v1::StemFile& output_;
  store::File file_;
  Reporter* const reporter_;
  base::Sha256 hash_;
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
  FileSink sink(output, *std::move(file), reporter);
  absl::Status status = TransferStem(output.name(), StemForm::kResult, client, &sink);
  if (status.ok()) status = sink.Complete();
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
