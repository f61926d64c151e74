#ifndef UNBRAID_SERVICES_WORKER_TORCH_TORCH_SEPARATOR_H_
#define UNBRAID_SERVICES_WORKER_TORCH_TORCH_SEPARATOR_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/common/model/package.h"
#include "services/worker/precision.h"
#include "services/worker/separator.h"

namespace unbraid::worker {

struct Graph;

// The TorchScript graphs of a package on the CPU. The only folder that knows libtorch; its
// exceptions end here, as INTERNAL with their message.
class TorchSeparator : public Separator {
 public:
  // Compares all graphs with their hashes before one is touched, loads them, and runs each twice at
  // its real shape, since libtorch compiles and profiles in the first two calls. `threads`: how
  // many threads one inference may use; it holds for the calling thread, which must also make all
  // later calls.
  //   DATA_LOSS            a graph is not the one that the package names
  //   NOT_FOUND            a graph is missing
  //   INVALID_ARGUMENT     a graph cannot be loaded, or gives another shape than the package says
  //   FAILED_PRECONDITION  there is no such precision here
  static absl::StatusOr<std::unique_ptr<Separator>> Load(const model::Package& package, int threads,
                                                         Precision precision = Precision::kFloat32);

  ~TorchSeparator() override;

  const Geometry& geometry() const override { return geometry_; }
  // Bytes of tensors, as libtorch's allocator counts them, of the graph and of a run. The resident
  // size of the process would depend on what was loaded before, and on what the heap keeps of it.
  const Footprint& footprint() const override { return footprint_; }
  absl::Status Separate(absl::Span<const float> windows, absl::Span<const int> wanted,
                        std::vector<float>* stems) override;

 private:
  TorchSeparator(const Geometry& geometry, std::vector<std::unique_ptr<Graph>> graphs,
                 Precision precision);

  absl::Status WarmUp(const model::Package& package);

  const Geometry geometry_;
  const Precision precision_;
  std::vector<std::unique_ptr<Graph>> graphs_;
  Footprint footprint_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_TORCH_SEPARATOR_H_
