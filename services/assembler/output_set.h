#ifndef UNBRAID_SERVICES_ASSEMBLER_OUTPUT_SET_H_
#define UNBRAID_SERVICES_ASSEMBLER_OUTPUT_SET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/assembler/chunk_files.h"
#include "services/assembler/job.h"
#include "services/assembler/stem_reader.h"
#include "services/common/audio/encoder.h"
#include "services/common/audio/levels.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::assembler {

// The files of a separation in the making: the wanted stems in the model's order, the mix, the
// residual. Not thread-safe.
class OutputSet {
 public:
  // Both must outlive it.
  OutputSet(const Job& job, const ChunkFiles& files);

  // A stem that only the mix needs is no output, and cannot clip.
  void Measure(const StemReader::Block& block, audio::PeakMeter* meter) const;

  // Begins all files, under names of their own. Before Write.
  absl::Status Create();
  absl::Status Write(const StemReader::Block& block, float gain);

  // Over all files, once they are written.
  int64_t clipped_samples() const;

  // Completes the files; each then appears under its name, whole and safe on the disk.
  absl::StatusOr<std::vector<v1::StemFile>> Finish();

 private:
  struct Output {
    std::string name;
    size_t source;  // which part of a block
    std::unique_ptr<audio::Encoder> encoder;
  };

  const Job& job_;
  const ChunkFiles& files_;
  std::vector<Output> outputs_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_OUTPUT_SET_H_
