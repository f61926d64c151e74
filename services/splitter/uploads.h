#ifndef UNBRAID_SERVICES_SPLITTER_UPLOADS_H_
#define UNBRAID_SERVICES_SPLITTER_UPLOADS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/audio/decoder.h"
#include "services/common/telemetry/metrics.h"
#include "services/splitter/part_file.h"
#include "services/splitter/room.h"
#include "services/splitter/track_store.h"
#include "services/splitter/upload_ledger.h"
#include "unbraid/v1/track_service.pb.h"

namespace unbraid::splitter {

struct UploadLimits {
  // How files are decoded, and what containers that can do.
  audio::OpenAudio open_audio;
  std::vector<std::string> containers;
  int64_t max_bytes = int64_t{4} << 30;
  absl::Duration max_duration = absl::Hours(4);
  absl::Duration retention = absl::Hours(24);
  // Bytes of tracks and unfinished uploads that one owner may have; 0: any.
  int64_t owner_quota_bytes = 0;
  // Streams at a time; each holds a file open. Those that bring nothing for so long are ended.
  size_t max_streams = 1000;
  absl::Duration max_silence = absl::Minutes(5);
  // The time by which uploads are abandoned.
  std::function<absl::Time()> clock = absl::Now;
};

class UploadWriter;

// Files that are being uploaded, each in the folder `uploads` under a name made of a hash of owner
// and upload id. At any time one stream writes an upload: a later one takes over, and the earlier
// is told. What was brought stays when a stream breaks, over restarts too, until `retention` has
// passed. Thread-safe; every method may wait for the disk.
class Uploads {
 public:
  // Told to a stream, once at most and on any thread, when it must end: UPLOAD_TAKEN_OVER, or
  // UNAVAILABLE (UPLOAD_SILENT, or the shutdown).
  using OnEvicted = std::function<void(absl::Status)>;

  // `tracks`, `room` and `metrics` are not owned and must outlive this. The room counts from now on
  // what running streams will still bring.
  static absl::StatusOr<std::unique_ptr<Uploads>> Create(const std::string& folder,
                                                         const UploadLimits& limits,
                                                         TrackStore* tracks, Room* room,
                                                         telemetry::Metrics* metrics);

  // Opens an upload for writing and takes it over from whoever writes it. Errors: INVALID_ARGUMENT
  // (INVALID_NAME, INVALID_UPLOAD), RESOURCE_EXHAUSTED (FILE_TOO_LARGE, DISK_FULL,
  // QUOTA_EXCEEDED, OVERLOADED), ABORTED (UPLOAD_TAKEN_OVER), UNAVAILABLE.
  absl::StatusOr<std::unique_ptr<UploadWriter>> Begin(const std::string& owner,
                                                      const v1::UploadSpec& spec,
                                                      OnEvicted on_evicted);

  // What it tells survives a power cut. NOT_FOUND (UNKNOWN_UPLOAD), INVALID_ARGUMENT
  // (INVALID_NAME).
  absl::StatusOr<v1::Upload> Get(const std::string& owner, const std::string& upload_id) const;

  // Removes what nobody goes on with; to be called now and then.
  void Sweep();

  // Ends the streams that bring nothing, which keep room from others; to be called now and then.
  void EndSilent();

  // From now on Begin fails, and every stream is told to end. For shutdown.
  void Drain();
  bool draining() const;

  const UploadLimits& limits() const { return limits_; }

 private:
  friend class UploadWriter;

  // The stream that may write an upload now.
  struct Session {
    int64_t writer = 0;      // number of the stream
    bool busy = false;       // a stream is at the file at this moment
    bool forgotten = false;  // goes as soon as it is not busy
    absl::Time heard;        // when it last brought something
    OnEvicted on_evicted;
  };

  Uploads(std::string folder, const UploadLimits& limits, TrackStore* tracks, Room* room,
          telemetry::Metrics* metrics);

  std::string PathOf(const std::string& key) const;
  absl::Status CheckSpec(const v1::UploadSpec& spec) const;
  absl::Status ReadLedger();
  absl::Status Admit(const UploadWriter& writer);
  absl::Status CheckPart(int64_t size, UploadWriter* writer);
  absl::Status CheckQuota(const std::string& owner, int64_t bytes) const;
  // Makes what an upload holds durable, and says how much it is. NOT_FOUND.
  absl::StatusOr<int64_t> Commit(const std::string& key) const;
  absl::StatusOr<int64_t> TakeOver(const std::string& key, OnEvicted on_evicted);
  absl::Status AwaitTurn(const std::string& key, int64_t writer);
  absl::StatusOr<std::unique_ptr<UploadWriter>> Open(const std::string& key, int64_t writer,
                                                     const std::string& owner,
                                                     const v1::UploadSpec& spec);
  absl::Status Enter(const std::string& key, int64_t writer);
  void Leave(const std::string& key);
  void Forget(const std::string& key, int64_t writer);
  void Abandon(const std::string& key, absl::Time now);

  const std::string folder_;
  const UploadLimits limits_;
  TrackStore* const tracks_;
  Room* const room_;
  UploadLedger ledger_;
  prometheus::Counter& bytes_total_;
  prometheus::Counter& finished_total_;
  prometheus::Counter& refused_total_;
  prometheus::Counter& abandoned_total_;

  mutable absl::Mutex mutex_;
  std::map<std::string, Session> sessions_ ABSL_GUARDED_BY(mutex_);
  int64_t last_writer_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time swept_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

// One stream's hold on an upload. Not thread-safe; it must not outlive its Uploads.
class UploadWriter {
 public:
  // Lets go; what was written stays.
  ~UploadWriter();
  UploadWriter(const UploadWriter&) = delete;
  UploadWriter& operator=(const UploadWriter&) = delete;

  const std::string& upload_id() const { return upload_id_; }
  int64_t committed_size() const { return committed_size_; }

  // Appends a part; it is durable once Commit or Finish has said so. Errors: OUT_OF_RANGE
  // (WRITE_OFFSET_MISMATCH), DATA_LOSS (CHECKSUM_MISMATCH), RESOURCE_EXHAUSTED (FILE_TOO_LARGE,
  // which removes the upload; DISK_FULL and QUOTA_EXCEEDED, which keep it), ABORTED
  // (UPLOAD_TAKEN_OVER).
  absl::Status Write(int64_t offset, absl::string_view data, std::optional<uint32_t> crc32c);

  // Makes all that was appended survive a power cut. ABORTED (UPLOAD_TAKEN_OVER).
  absl::Status Commit();

  // The file is complete: decodes it and makes it a track. A file that is refused is removed. An
  // upload that has become a track before gives that track.
  absl::StatusOr<v1::Track> Finish();

 private:
  friend class Uploads;
  UploadWriter(Uploads* uploads, std::string key, int64_t writer, std::string owner,
               const v1::UploadSpec& spec)
      : uploads_(uploads),
        key_(std::move(key)),
        writer_(writer),
        owner_(std::move(owner)),
        upload_id_(spec.upload_id()),
        display_name_(spec.display_name()),
        total_bytes_(spec.total_bytes()),
        silence_non_finite_(spec.non_finite_samples() ==
                            v1::UploadSpec::NON_FINITE_SAMPLES_SILENCE) {}

  absl::Status Append(int64_t offset, absl::string_view data, std::optional<uint32_t> crc32c);
  absl::StatusOr<v1::Track> MakeTrack();
  absl::StatusOr<v1::Track> Check(const base::Sha256Digest& digest);
  absl::Status RemoveFile();

  Uploads* const uploads_;
  const std::string key_;
  const int64_t writer_;
  const std::string owner_;
  const std::string upload_id_;
  const std::string display_name_;
  const int64_t total_bytes_;  // 0: unknown
  const bool silence_non_finite_;

  // Whether room was kept for a part of this size.
  bool Expected(int64_t size) const { return committed_size_ + size <= total_bytes_; }

  std::optional<PartFile> file_;    // absent once the upload is a track
  std::optional<v1::Track> track_;  // what the upload became
  int64_t committed_size_ = 0;
  int64_t room_checked_at_ = 0;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_UPLOADS_H_
