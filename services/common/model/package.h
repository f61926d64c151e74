#ifndef UNBRAID_SERVICES_COMMON_MODEL_PACKAGE_H_
#define UNBRAID_SERVICES_COMMON_MODEL_PACKAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/common/base/package_id.h"

namespace unbraid::model {

// How the samples of a track are scaled before the model, and back after it.
enum class Normalisation {
  kNone,
  kTrack,  // by mean and deviation of the whole track's mono mix
};

// A model package: a folder with `model.json` and the TorchScript graph that it names. See
// models/README.md.
struct Package {
  std::string name;
  std::string version;
  std::string title;
  // SHA-256 of the bytes of model.json. Since that carries the graph's hash, it stands for the
  // whole package.
  std::string sha256;

  std::string graph_path;
  std::string graph_sha256;

  int sample_rate_hz = 0;
  int channels = 0;           // 1 or 2
  int64_t window_frames = 0;  // the model's one input length
  int64_t overlap_frames = 0;
  std::vector<std::string> stems;  // in output order
  Normalisation normalisation = Normalisation::kNone;

  std::string licence;  // of the weights
  std::string source;

  base::PackageId id() const { return {name, sha256}; }

  // Position of a stem in `stems`, or -1.
  int StemIndex(const std::string& stem) const;
};

// Reads `folder`/model.json and checks every field. The graph is not read: see VerifyGraph.
// INVALID_ARGUMENT names the field that is missing or wrong.
absl::StatusOr<Package> LoadPackage(const std::string& folder);

// Compares the graph file with its hash. A TorchScript file is code: nothing loads it before this
// says OK. DATA_LOSS when they differ.
absl::Status VerifyGraph(const Package& package);

}  // namespace unbraid::model

#endif  // UNBRAID_SERVICES_COMMON_MODEL_PACKAGE_H_
