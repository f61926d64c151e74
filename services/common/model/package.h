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

// One TorchScript file of a package. It yields [batch, stems.size(), channels, window].
struct Graph {
  std::string path;
  std::string sha256;
  std::vector<int> stems;  // positions in Package::stems, in the order of the graph's output
};

// A model package: a folder with `model.json` and the TorchScript graphs that it names. See
// models/README.md.
struct Package {
  std::string name;
  std::string version;
  std::string title;
  // SHA-256 of the bytes of model.json. Since that carries the graphs' hashes, it stands for the
  // whole package.
  std::string sha256;

  std::vector<Graph> graphs;  // each stem is made by exactly one of them

  int sample_rate_hz = 0;
  int channels = 0;           // 1 or 2
  int64_t window_frames = 0;  // the model's one input length
  int64_t overlap_frames = 0;
  std::vector<std::string> stems;  // in output order
  Normalisation normalisation = Normalisation::kNone;

  std::string licence;  // of the weights
  std::string source;
  std::string min_libtorch;  // the version that the graphs were made with; may be empty

  base::PackageId id() const { return {name, sha256}; }

  // Position of a stem in `stems`, or -1.
  int StemIndex(const std::string& stem) const;
};

// Reads `folder`/model.json, of format 1 or 2, and checks every field. The graphs are not read: see
// VerifyGraphs.
// INVALID_ARGUMENT names the field that is missing or wrong.
absl::StatusOr<Package> LoadPackage(const std::string& folder);

// Compares every graph file with its hash. A TorchScript file is code: nothing loads one before
// this says OK. DATA_LOSS when one differs, NOT_FOUND when one is missing; both name the file.
absl::Status VerifyGraphs(const Package& package);

}  // namespace unbraid::model

#endif  // UNBRAID_SERVICES_COMMON_MODEL_PACKAGE_H_
