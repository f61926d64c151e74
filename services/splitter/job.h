#ifndef UNBRAID_SERVICES_SPLITTER_JOB_H_
#define UNBRAID_SERVICES_SPLITTER_JOB_H_

#include <cstdint>
#include <string>

#include "services/common/base/ids.h"
#include "services/common/base/package_id.h"
#include "unbraid/internal/v1/assembler_service.pb.h"

namespace unbraid::splitter {

// What the preparation of a track for a model yields, besides the spool.
struct Prepared {
  int64_t model_frames = 0;  // of the track at the model's rate; 0: not prepared yet
  double mean = 0;           // see ChunkTask
  double scale = 1;
};

// A separation as the splitter keeps it, until it has ended.
struct Job {
  base::SeparationId id;
  std::string owner;
  internal::v1::OpenSeparationRequest open;  // everything that defines it
  int32_t attempt = 0;                       // 0: not opened at the assembler yet
  Prepared prepared;

  const std::string& model() const { return open.separation().model(); }
  // The build that it was created with, whatever the catalogue holds by now.
  base::PackageId package() const { return {model(), open.model_sha256()}; }
  bool residual() const { return open.separation().residual(); }
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_JOB_H_
