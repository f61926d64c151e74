#ifndef UNBRAID_SERVICES_SPLITTER_UPLOAD_CALL_H_
#define UNBRAID_SERVICES_SPLITTER_UPLOAD_CALL_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "services/splitter/uploads.h"
#include "unbraid/v1/track_service.pb.h"

namespace unbraid::splitter {

// Largest `data` of one message.
inline constexpr int64_t kMaxPartBytes = 1 << 20;

// The grammar of one UploadTrack stream, message by message; knows nothing of gRPC. Not
// thread-safe.
class UploadCall {
 public:
  UploadCall(Uploads* uploads, std::string owner, Uploads::OnEvicted on_evicted)
      : uploads_(uploads), owner_(std::move(owner)), on_evicted_(std::move(on_evicted)) {}

  // Takes the next message. May wait for the disk; the last one for the whole file to be decoded.
  // Any error ends the stream. INVALID_ARGUMENT (INVALID_UPLOAD) when the grammar is broken.
  absl::Status Take(const v1::UploadTrackRequest& request);

  // The client sends no more, or is gone: makes durable what it brought. INVALID_UPLOAD when it
  // sent nothing at all.
  absl::Status End();

  // True once the message with `finish_write` was taken.
  bool finished() const { return finished_; }

  // The answer as it stands.
  const v1::UploadTrackResponse& response() const { return response_; }

 private:
  absl::Status TakeNext(const v1::UploadTrackRequest& request);
  absl::Status CheckGrammar(const v1::UploadTrackRequest& request) const;

  Uploads* const uploads_;
  const std::string owner_;
  Uploads::OnEvicted on_evicted_;
  std::unique_ptr<UploadWriter> writer_;
  v1::UploadTrackResponse response_;
  bool finished_ = false;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_UPLOAD_CALL_H_
