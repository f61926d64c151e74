#ifndef UNBRAID_SERVICES_SPLITTER_UPLOAD_LEDGER_H_
#define UNBRAID_SERVICES_SPLITTER_UPLOAD_LEDGER_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::splitter {

// What unfinished uploads hold: bytes that are on the disk, and room that is kept for streams which
// have told how large their file is. Thread-safe.
class UploadLedger {
 public:
  // An upload of which so many bytes are there. A stream that begins now expects the file to become
  // `total` bytes; 0: unknown, or no stream.
  void Begin(const std::string& key, const std::string& owner, int64_t bytes, int64_t total);
  // So many bytes are there by now.
  void Grow(const std::string& key, int64_t bytes);
  // No stream writes it any more: its bytes stay, no room is kept for more.
  void EndStream(const std::string& key);
  // It has become a track, or its file was removed.
  void Remove(const std::string& key);

  // Bytes that running streams will still bring.
  int64_t StillNeeded() const;
  // Bytes that an owner's uploads have, or will have when their streams end.
  int64_t OwnedBy(const std::string& owner) const;

 private:
  struct Entry {
    std::string owner;
    int64_t bytes = 0;
    int64_t total = 0;
    int64_t still_needed() const { return total > bytes ? total - bytes : 0; }
  };

  mutable absl::Mutex mutex_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_UPLOAD_LEDGER_H_
