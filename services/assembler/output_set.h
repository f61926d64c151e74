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
#include "services/common/base/crew.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::assembler {

// The files of a separation in the making: the wanted stems in the model's order, the mix, the
// residual. They are written side by side by a crew. Not thread-safe.
class OutputSet {
 public:
  // All must outlive it.
  OutputSet(const Job& job, const ChunkFiles& files, base::Crew* crew);

  // A stem that only the mix needs is no output, and cannot clip.
  void Measure(const StemReader::Block& block, audio::PeakMeter* meter) const;

  // Begins all files, under names of their own. Before Write.
  absl::Status Create();
  // Removes what was begun; Create may be called again.
  void Discard();
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

  absl::StatusOr<v1::StemFile> Finish(Output* output) const;

  const Job& job_;
  const ChunkFiles& files_;
  base::Crew* const crew_;
  std::vector<Output> outputs_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_OUTPUT_SET_H_
