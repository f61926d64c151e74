#ifndef UNBRAID_SERVICES_SPLITTER_SPOOL_WRITER_H_
#define UNBRAID_SERVICES_SPLITTER_SPOOL_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/store/files.h"

namespace unbraid::splitter {

// Writes decoded audio, interleaved float32, under a temporary name; it gets its own when it is
// complete and durable. Not thread-safe.
class SpoolWriter {
 public:
  // `frames`: how many there will be.
  static absl::StatusOr<std::unique_ptr<SpoolWriter>> Create(const std::string& path, int channels,
                                                             int64_t frames);
  // Removes the file unless Complete() succeeded.
  ~SpoolWriter();
  SpoolWriter(const SpoolWriter&) = delete;
  SpoolWriter& operator=(const SpoolWriter&) = delete;

  absl::Status Append(const std::vector<float>& samples);

  // Where it is written until it is complete, and how much of it is there.
  const std::string& part_path() const { return file_.path(); }
  int64_t written_bytes() const { return written_bytes_; }

  // INTERNAL when it is not as long as was said.
  absl::Status Complete();

 private:
  SpoolWriter(std::string path, store::File file, int64_t wanted_bytes)
      : path_(std::move(path)), file_(std::move(file)), wanted_bytes_(wanted_bytes) {}

  const std::string path_;
  store::File file_;
  const int64_t wanted_bytes_;
  int64_t written_bytes_ = 0;
  bool complete_ = false;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_SPOOL_WRITER_H_
