#ifndef UNBRAID_SERVICES_ASSEMBLER_RESIDUAL_READER_H_
#define UNBRAID_SERVICES_ASSEMBLER_RESIDUAL_READER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {

// What the stems leave of the song, block by block. Not thread-safe.
class ResidualReader {
 public:
  // `path`: the song at the stems' rate and channels, interleaved float32.
  static absl::StatusOr<ResidualReader> Open(const std::string& path);

  // Goes on by as many samples as each stem has here: `residual` is the song minus the sum of the
  // stems, in double, rounded once. DATA_LOSS when the song ends before them.
  absl::Status Next(absl::Span<const std::vector<float>> stems, std::vector<float>* residual);

 private:
  explicit ResidualReader(store::File file) : file_(std::move(file)) {}

  store::File file_;
  int64_t position_bytes_ = 0;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_RESIDUAL_READER_H_
