#include "services/splitter/uploads.h"

#include <algorithm>
#include <random>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/track_check.h"
#include "services/splitter/upload_errors.h"

namespace unbraid::splitter {
namespace {

constexpr size_t kMaxIdLength = 64;
// How long a stream waits for the one before it to come to the end of its part. Should that be at
// its check, the client comes again: the threads for uploads are few.
constexpr absl::Duration kTurnTimeout = absl::Seconds(1);

absl::Status CheckUploadId(const std::string& id) {
  const bool well_formed =
      !id.empty() && id.size() <= kMaxIdLength && std::all_of(id.begin(), id.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
      });
  if (well_formed) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_NAME",
                     "upload_id must be 1 to 64 letters, digits, '-' and '_'.");
}

std::string RandomUploadId() {
  std::random_device random;
  std::string id = "server-";
  for (int i = 0; i < 4; ++i) absl::StrAppend(&id, absl::Hex(random(), absl::kZeroPad8));
  return id;
}

// Name of the file: upload ids are the clients' words and never become paths.
std::string KeyOf(const std::string& owner, const std::string& upload_id) {
  return base::ToHex(base::Sha256Of(absl::StrCat(owner, "\n", upload_id)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Uploads>> Uploads::Create(const std::string& folder,
                                                         const UploadLimits& limits,
                                                         TrackStore* tracks, Room* room,
                                                         telemetry::Metrics* metrics) {
  const std::string files = absl::StrCat(folder, "/uploads");
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(files));
  std::unique_ptr<Uploads> uploads(new Uploads(files, limits, tracks, room, metrics));
  UNBRAID_RETURN_IF_ERROR(uploads->ReadLedger());
  uploads->Sweep();
  room->Count([ledger = &uploads->ledger_] { return ledger->StillNeeded(); });
  return uploads;
}

Uploads::Uploads(std::string folder, const UploadLimits& limits, TrackStore* tracks, Room* room,
                 telemetry::Metrics* metrics)
    : folder_(std::move(folder)),
      limits_(limits),
      tracks_(tracks),
      room_(room),
      bytes_total_(metrics->Counter("unbraid_splitter_upload_bytes_total", "Bytes uploaded")),
      finished_total_(
          metrics->Counter("unbraid_splitter_uploads_total", "Uploads that became a track")),
      refused_total_(metrics->Counter("unbraid_splitter_uploads_refused_total",
                                      "Uploads whose content was refused")),
      abandoned_total_(metrics->Counter("unbraid_splitter_uploads_abandoned_total",
                                        "Unfinished uploads that were removed")) {}

std::string Uploads::PathOf(const std::string& key) const {
  return absl::StrCat(folder_, "/", key);
}

absl::StatusOr<std::unique_ptr<UploadWriter>> Uploads::Begin(const std::string& owner,
                                                             const v1::UploadSpec& spec,
                                                             OnEvicted on_evicted) {
  v1::UploadSpec named = spec;
  if (named.upload_id().empty()) named.set_upload_id(RandomUploadId());
  UNBRAID_RETURN_IF_ERROR(CheckSpec(named));
  const std::string key = KeyOf(owner, named.upload_id());
  UNBRAID_ASSIGN_OR_RETURN(const int64_t writer, TakeOver(key, std::move(on_evicted)));
  absl::Status turn = AwaitTurn(key, writer);
  if (!turn.ok()) {
    Forget(key, writer);
    return turn;
  }
  absl::StatusOr<std::unique_ptr<UploadWriter>> opened = Open(key, writer, owner, named);
  Leave(key);
  if (!opened.ok()) Forget(key, writer);
  return opened;
}

absl::Status Uploads::CheckSpec(const v1::UploadSpec& spec) const {
  UNBRAID_RETURN_IF_ERROR(CheckUploadId(spec.upload_id()));
  UNBRAID_RETURN_IF_ERROR(CheckDisplayName(spec.display_name()));
  if (spec.total_bytes() < 0) return InvalidUpload("total_bytes is negative.");
  if (spec.total_bytes() > limits_.max_bytes) return FileTooLarge(limits_.max_bytes);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Uploads::Commit(const std::string& key) const {
  UNBRAID_ASSIGN_OR_RETURN(store::File file,
                           store::File::Open(PathOf(key), store::File::Mode::kRead));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t size, file.Size());
  UNBRAID_RETURN_IF_ERROR(file.Sync());
  UNBRAID_RETURN_IF_ERROR(store::SyncFolder(folder_));
  return size;
}

absl::StatusOr<int64_t> Uploads::TakeOver(const std::string& key, OnEvicted on_evicted) {
  OnEvicted before;
  int64_t writer = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (draining_) return ShuttingDown();
    if (sessions_.size() >= limits_.max_streams && sessions_.count(key) == 0) {
      return base::Error(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                         "Too many uploads are under way here; try again soon.");
    }
    Session& session = sessions_[key];
    session.heard = base::SteadyNow();
    writer = session.writer = ++last_writer_;
    session.forgotten = false;
    before = std::exchange(session.on_evicted, std::move(on_evicted));
  }
  if (before) before(TakenOver());
  return writer;
}

absl::Status Uploads::AwaitTurn(const std::string& key, int64_t writer) {
  absl::MutexLock lock(&mutex_);
  // Looked up each time: a later stream may have taken over, and ended, before this one wakes.
  const auto session = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> Session* {
    const auto found = sessions_.find(key);
    return found != sessions_.end() && found->second.writer == writer ? &found->second : nullptr;
  };
  auto my_turn = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return session() == nullptr || !session()->busy;
  };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&my_turn), kTurnTimeout)) {
    return base::Error(absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
                       "Another stream of this upload is still being worked on; try again.");
  }
  if (session() == nullptr) return TakenOver();
  session()->busy = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<UploadWriter>> Uploads::Open(const std::string& key, int64_t writer,
                                                            const std::string& owner,
                                                            const v1::UploadSpec& spec) {
  std::unique_ptr<UploadWriter> result(new UploadWriter(this, key, writer, owner, spec));
  UNBRAID_ASSIGN_OR_RETURN(result->track_, tracks_->FindUpload(key));
  if (result->track_) {
    result->committed_size_ = result->track_->size_bytes();
    UNBRAID_ASSIGN_OR_RETURN(const auto id, base::ParseTrackName(result->track_->name()));
    const absl::Status used = tracks_->Use(id);
    if (!used.ok()) telemetry::Warning("a use could not be noted", {{"error", used}});
    return result;
  }
  // What is refused leaves no file.
  const absl::StatusOr<int64_t> size = store::FileSize(PathOf(key));
  if (size.ok()) result->committed_size_ = *size;
  UNBRAID_RETURN_IF_ERROR(Admit(*result));
  auto file = PartFile::Open(PathOf(key), [this] { return draining(); });
  if (absl::IsCancelled(file.status())) return ShuttingDown();
  UNBRAID_ASSIGN_OR_RETURN(result->file_, std::move(file));
  result->committed_size_ = result->file_->size();
  result->room_checked_at_ = result->committed_size_;
  return result;
}

absl::Status Uploads::Enter(const std::string& key, int64_t writer) {
  absl::MutexLock lock(&mutex_);
  const auto session = sessions_.find(key);
  if (session == sessions_.end() || session->second.writer != writer) return TakenOver();
  session->second.busy = true;
  return absl::OkStatus();
}

void Uploads::Leave(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  const auto session = sessions_.find(key);
  if (session == sessions_.end()) return;
  session->second.busy = false;
  session->second.heard = base::SteadyNow();
  if (session->second.forgotten) sessions_.erase(session);
}

void Uploads::Forget(const std::string& key, int64_t writer) {
  absl::MutexLock lock(&mutex_);
  const auto session = sessions_.find(key);
  if (session == sessions_.end() || session->second.writer != writer) return;
  ledger_.EndStream(key);
  // An earlier stream may still be at the file: nobody else may open it before that is over.
  session->second.forgotten = session->second.busy;
  if (!session->second.busy) sessions_.erase(session);
}

absl::StatusOr<v1::Upload> Uploads::Get(const std::string& owner,
                                        const std::string& upload_id) const {
  UNBRAID_RETURN_IF_ERROR(CheckUploadId(upload_id));
  const std::string key = KeyOf(owner, upload_id);
  v1::Upload upload;
  upload.set_upload_id(upload_id);
  UNBRAID_ASSIGN_OR_RETURN(const std::optional<v1::Track> track, tracks_->FindUpload(key));
  if (track) {
    upload.set_committed_size(track->size_bytes());
    *upload.mutable_track() = *track;
    return upload;
  }
  const absl::StatusOr<int64_t> size = Commit(key);
  if (!size.ok() && !absl::IsNotFound(size.status())) return size.status();
  if (!size.ok()) {
    return base::Error(absl::StatusCode::kNotFound, "UNKNOWN_UPLOAD",
                       absl::StrCat("There is no upload ", upload_id, "; begin it at offset 0."));
  }
  upload.set_committed_size(*size);
  return upload;
}

void Uploads::Drain() {
  std::vector<OnEvicted> streams;
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    for (auto& [key, session] : sessions_) {
      streams.push_back(std::exchange(session.on_evicted, nullptr));
    }
  }
  for (const OnEvicted& evict : streams) {
    if (evict) evict(ShuttingDown());
  }
}

bool Uploads::draining() const {
  absl::MutexLock lock(&mutex_);
  return draining_;
}

}  // namespace unbraid::splitter
