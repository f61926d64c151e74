#include "clients/cli/download.h"

#include <algorithm>
#include <future>
#include <memory>
#include <set>
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

// One result on its way into one file, which has its name when it is kept.
class FileSink : public StemSink {
 public:
  FileSink(const v1::StemFile& output, std::string path, store::File file, Reporter* reporter)
      : output_(output), path_(std::move(path)), file_(std::move(file)), reporter_(reporter) {}
  // Removes what was not kept.
  ~FileSink() override {
    if (!kept_) (void)store::RemoveAll(file_.path());
  }

  absl::Status Take(const v1::DownloadStemResponse& part) override {
    UNBRAID_RETURN_IF_ERROR(file_.WriteAt(part.offset(), part.data()));
    hash_.Update(part.data());
    return absl::OkStatus();
  }

  int64_t total_bytes() const override { return output_.size_bytes(); }

  void Progress(int64_t received_bytes) override {
    reporter_->Downloading(output_.stem(), received_bytes, output_.size_bytes());
  }

  // All of it has come.
  absl::Status Check() {
    if (base::ToHex(hash_.Finish()) == output_.sha256()) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(output_.name(), " arrived damaged; fetch it again"));
  }

  // Makes it safe on the disk, which may take as long as its coming; on any thread.
  absl::Status Keep() {
    UNBRAID_RETURN_IF_ERROR(file_.Sync());
    UNBRAID_RETURN_IF_ERROR(file_.Close());
    UNBRAID_RETURN_IF_ERROR(store::RenameDurably(file_.path(), path_));
    kept_ = true;
    return absl::OkStatus();
  }

  void SayWrote() { reporter_->Wrote(output_.stem(), path_); }

 private:
  const v1::StemFile& output_;
  const std::string path_;
  store::File file_;
  Reporter* const reporter_;
  base::Sha256 hash_;
  bool kept_ = false;
};

// Keeps one file while the next one comes.
class Keeper {
 public:
  // Waits for the one before. Its error, if it has one.
  absl::Status Keep(std::unique_ptr<FileSink> file) {
    UNBRAID_RETURN_IF_ERROR(Finish());
    file_ = std::move(file);
    // Beside what comes next, or, where there is no thread to be had, before it.
    kept_ =
        std::async(std::launch::async | std::launch::deferred, [this] { return file_->Keep(); });
    return absl::OkStatus();
  }

  absl::Status Finish() {
    if (file_ == nullptr) return absl::OkStatus();
    const absl::Status status = kept_.get();
    if (status.ok()) file_->SayWrote();
    file_ = nullptr;
    return status;
  }

 private:
  std::unique_ptr<FileSink> file_;
  std::future<absl::Status> kept_;  // waits at its end
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

// Two of one name would be written into each other.
absl::Status CheckFileNames(const v1::Separation& separation) {
  std::set<std::string> names;
  for (const v1::StemFile& output : separation.outputs()) {
    const std::string name = absl::StrCat(output.stem(), ".", output.extension());
    UNBRAID_RETURN_IF_ERROR(CheckFileName(name));
    if (names.insert(absl::AsciiStrToLower(name)).second) continue;
    return absl::InternalError(
        absl::StrCat("the server names two results \"", name, "\"; nothing is written"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileSink>> Receive(const v1::StemFile& output,
                                                  const std::string& folder, GatewayClient* client,
                                                  Reporter* reporter) {
  const std::string path = absl::StrCat(folder, "/", output.stem(), ".", output.extension());
  UNBRAID_ASSIGN_OR_RETURN(store::File file, store::File::Open(absl::StrCat(path, ".part"),
                                                               store::File::Mode::kCreateEmpty));
  auto sink = std::make_unique<FileSink>(output, path, std::move(file), reporter);
  UNBRAID_RETURN_IF_ERROR(TransferStem(output.name(), StemForm::kResult, client, sink.get()));
  UNBRAID_RETURN_IF_ERROR(sink->Check());
  return sink;
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
  UNBRAID_RETURN_IF_ERROR(CheckFileNames(separation));
  Keeper keeper;
  for (const v1::StemFile& output : separation.outputs()) {
    if (!only.empty() && std::find(only.begin(), only.end(), output.stem()) == only.end()) continue;
    absl::StatusOr<std::unique_ptr<FileSink>> file = Receive(output, folder, client, reporter);
    const absl::Status status = file.ok() ? keeper.Keep(*std::move(file)) : file.status();
    if (status.ok()) continue;
    const absl::Status before = keeper.Finish();  // the first error is the one to tell
    return before.ok() ? status : before;
  }
  return keeper.Finish();
}

}  // namespace unbraid::cli
